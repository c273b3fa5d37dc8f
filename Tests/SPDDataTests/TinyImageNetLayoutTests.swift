import Foundation
import SPDVision
import Testing

@testable import SPDData

/// Common rearrangements of Tiny ImageNet.
struct TinyImageNetLayoutTests {
  /// - Parameters:
  ///   - train, val: folders within a class's folder, with a slash at the end or empty.
  private static func tiny(train: String, val: String, hasAnnotations: Bool) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.write("wnids.txt", "n02\nn01\n")
    for (index, wnid) in ["n01", "n02"].enumerated() {
      try folder.write("train/\(wnid)/\(train)0.JPEG", formulaImage(8, 8, seed: 1).jpeg())
      try folder.write("val/\(wnid)/\(val)val_\(index).JPEG", formulaImage(8, 8, seed: 2).jpeg())
    }
    if hasAnnotations {
      try folder.write("val/val_annotations.txt", "val_0.JPEG\tn01\t0\t0\t7\t7\nval_1.JPEG\tn02\t0\t0\t7\t7\n")
    }
    return folder
  }

  @Test(arguments: ["", "images/"], ["", "images/"]) func sortedValidation(_ train: String, _ val: String) throws {
    for hasAnnotations in [true, false] {
      let folder = try Self.tiny(train: train, val: val, hasAnnotations: hasAnnotations)
      // The leftovers of a script that moves files.
      try FileManager.default.createDirectory(atPath: folder.path + "/val/images", withIntermediateDirectories: true)
      let data = try openDataset(folder.path)
      #expect(data.training.count == 2 && data.validation.count == 2)
      #expect(data.training.classNames == ["n02", "n01"])
      #expect(data.validation.classCounts == [1, 1])
      for index in 0..<2 {
        let wnid = data.validation.classNames[Int(data.validation.annotation(index).label)]
        #expect(data.validation.origin(index).contains("/val/\(wnid)/"))
        #expect(try data.validation.image(index).width == 8)
      }
    }
  }

  @Test func filesAreCheckedBeforeTheFirstStep() throws {
    let folder = try Self.tiny(train: "images/", val: "images/", hasAnnotations: true)
    try FileManager.default.removeItem(atPath: folder.path + "/val/n01")
    try FileManager.default.removeItem(atPath: folder.path + "/val/n02")
    try folder.write("val/images/val_1.JPEG", formulaImage(8, 8, seed: 2).jpeg())
    #expect(
      message { _ = try openDataset(folder.path) }?.replacing(folder.path, with: "R")
        == "R/val/images/val_0.JPEG: is not there, although val_annotations.txt lists it; unpack tiny-imagenet-200.zip again"
    )
    try folder.write("val/images/val_0.JPEG", formulaImage(8, 8, seed: 2).jpeg())
    #expect(try openDataset(folder.path).validation.count == 2)
  }

  @Test func halfSorted() throws {
    let folder = try Self.tiny(train: "", val: "", hasAnnotations: true)
    try folder.write("val/images/val_7.JPEG", formulaImage(8, 8, seed: 2).jpeg())
    #expect(message { _ = try openDataset(folder.path) }?.contains("val/images: holds images and is no class") == true)
  }
}
