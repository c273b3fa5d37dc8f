import Foundation
import SPDVision
import Testing

@testable import SPDData

/// Folders of splits, whatever they are called.
struct SplitFolderTests {
  private static let dot = formulaImage(4, 4, seed: 1)

  private static func folder(_ files: [String]) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for file in files { try folder.write(file, dot) }
    return folder
  }

  private static func open(_ folder: TemporaryFolder, fraction: Double = 0) throws -> DatasetSplits {
    var options = DatasetOptions()
    options.validationFraction = fraction
    return try openDataset(folder.path, options: options)
  }

  private static func problem(_ files: [String]) throws -> String {
    let folder = try folder(files)
    return message { _ = try open(folder, fraction: 0.5) }?.replacing(folder.path, with: "R") ?? "none"
  }

  @Test(arguments: [
    ("train", "val"), ("Training", "Testing"), ("Train", "Val"), ("TRAIN", "TEST"), ("training", "Validation"),
    ("Train", "valid"),
  ]) func areRecognised(_ train: String, _ val: String) throws {
    let folder = try Self.folder([
      "\(train)/a/1.png", "\(train)/b/1.png", "\(train)/b/2.png", "\(val)/a/1.png", "\(val)/b/1.png",
    ])
    // Even with a fraction, which class folders alone would need.
    for fraction in [0, 0.5] {
      let data = try Self.open(folder, fraction: fraction)
      #expect(data.training.classNames == ["a", "b"])
      #expect(data.training.count == 3 && data.validation.count == 2)
      #expect(data.warnings.isEmpty)
    }
  }

  @Test func areNotLearnedAsClasses() throws {
    #expect(
      try Self.problem(["val/a/1.png", "val/b/1.png", "Test/a/1.png", "Test/b/1.png"])
        == "R: has a folder val but none of train, training; add one")
    #expect(
      try Self.problem(["Train/a/1.png", "train/a/1.png"])
        == "R: has both Train and train; name the data set's folders so that they differ by more than their case")
    #expect(
      try Self.problem(["Training/a/1.png", "Training/b/1.png", "extra/a/1.png"])
        .hasPrefix("R: has a folder Training but none of val"))
  }

  @Test func maySomeClassBeCalledSo() throws {
    let folder = try Self.folder(["bus/1.png", "bus/2.png", "train/1.png", "train/2.png", "car/1.png", "car/2.png"])
    #expect(try Self.open(folder, fraction: 0.5).training.classNames == ["bus", "car", "train"])
  }

  @Test func theSameFoldersInEveryClassAreOdd() throws {
    let splits = try Self.folder(["A/cat/1.png", "A/dog/1.png", "B/cat/1.png", "B/dog/1.png"])
    let warnings = try Self.open(splits, fraction: 0.5).warnings
    #expect(warnings.count == 1)
    #expect(warnings.first?.contains("the classes A, B all hold the folders cat, dog") == true)
    let images = try Self.folder(["a/images/1.png", "a/images/2.png", "b/images/1.png", "b/images/2.png"])
    #expect(try Self.open(images, fraction: 0.5).warnings.isEmpty)
    let loose = try Self.folder(["a/1.png", "a/2.png", "b/1.png", "b/2.png", "c.png"])
    #expect(
      try Self.open(loose, fraction: 0.5).warnings.first?.contains("1 images lie beside the class folders") == true)
  }

  @Test func deeperFolders() throws {
    let folder = try TemporaryFolder()
    let inside = folder.path + "/data"
    try FileManager.default.createDirectory(atPath: inside + "/MNIST", withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      atPath: Fixture.folder + "/cifar-10-batches-py", toPath: inside + "/cifar-10-batches-py")
    #expect(try openDataset(folder.path).training.name == "CIFAR-10, training")
    #expect(try openDataset(inside).training.name == "CIFAR-10, training")
    try FileManager.default.copyItem(atPath: Fixture.folder + "/cifar-100-python", toPath: inside + "/cifar-100-python")
    #expect(message { _ = try openDataset(inside) }?.contains("holds several data sets") == true)
  }
}
