import Foundation
import SPDVision
import Testing

@testable import SPDData

/// Tiny ImageNet, class folders, and what is found at a path.
struct FolderTests {
  private static let dot = formulaImage(4, 4, seed: 1)

  private static func tiny(_ folder: TemporaryFolder) throws {
    try folder.write("wnids.txt", "n02\nn01\n")
    try folder.write("words.txt", "n00\tnothing\nn01\tgoldfish, Carassius auratus\n")
    try folder.write("train/n01/images/n01_0.JPEG", formulaImage(64, 64, seed: 1).jpeg())
    try folder.write("train/n01/images/n01_1.JPEG", formulaImage(64, 64, seed: 2).jpeg())
    try folder.write("train/n01/n01_boxes.txt", "n01_0.JPEG\t0\t0\t63\t63\n")
    try folder.write("train/n02/images/n02_0.JPEG", formulaImage(64, 64, seed: 3).jpeg())
    try folder.write("val/images/val_0.JPEG", formulaImage(64, 64, seed: 4).jpeg())
    try folder.write("val/val_annotations.txt", "val_0.JPEG\tn01\t0\t32\t44\t62\n")
  }

  @Test func tinyImageNet() throws {
    let folder = try TemporaryFolder()
    try Self.tiny(folder)
    let data = try openDataset(folder.path)
    // The order of wnids.txt; a class without a name keeps its number.
    #expect(data.training.classNames == ["n02", "goldfish, Carassius auratus"])
    #expect(data.training.name == "Tiny ImageNet, training")
    #expect((0..<3).map { data.training.annotation($0).label } == [0, 1, 1])
    #expect(data.training.origin(2) == folder.path + "/train/n01/images/n01_1.JPEG")
    #expect(try data.training.image(2).width == 64)
    #expect(data.validation.count == 1)
    #expect(data.validation.annotation(0) == .classIndex(1))
    #expect(try data.validation.image(0).height == 64)
    try FileManager.default.removeItem(atPath: folder.path + "/words.txt")
    #expect(try openDataset(folder.path).training.classNames == ["n02", "n01"])
  }

  @Test func messagesOfTinyImageNet() throws {
    func problem(_ name: String, _ text: String) throws -> String {
      let folder = try TemporaryFolder()
      try Self.tiny(folder)
      try folder.write(name, text)
      return message { _ = try openDataset(folder.path) }?.replacing(folder.path + "/", with: "") ?? "none"
    }
    let remedy = "; unpack tiny-imagenet-200.zip again"
    #expect(try problem("wnids.txt", "\n") == "wnids.txt: lists no classes" + remedy)
    #expect(try problem("wnids.txt", "n01\nn01\n") == "wnids.txt: lists a class twice" + remedy)
    #expect(
      try problem("wnids.txt", "n01\nn03\n")
        == "train/n03: there is no such folder; check the path and its permissions")
    #expect(
      try problem("val/val_annotations.txt", "a.JPEG\tn01\nb.JPEG\n")
        == "val/val_annotations.txt: line 2 is not a file and a class with a tab between them" + remedy)
    #expect(
      try problem("val/val_annotations.txt", "a.JPEG\tn09\n")
        == "val/val_annotations.txt: line 1 names the class n09, which wnids.txt does not list" + remedy)
    #expect(try problem("val/val_annotations.txt", "") == "val/val_annotations.txt: lists no images" + remedy)
    let folder = try TemporaryFolder()
    try Self.tiny(folder)
    try FileManager.default.removeItem(atPath: folder.path + "/train/n02/images/n02_0.JPEG")
    #expect(
      message { _ = try openDataset(folder.path) }
        == "\(folder.path)/train/n02: holds no images" + remedy)
  }

  /// Class folders with 10 images of class b and 5 of class A.
  private static func classes(_ folder: TemporaryFolder, in parent: String) throws {
    for index in 0..<10 { try folder.write("\(parent)/b/\(index).png", formulaImage(4, 4, seed: UInt32(index))) }
    for index in 0..<5 { try folder.write("\(parent)/A/more/\(index).PNG", dot) }
    try folder.write("\(parent)/b/notes.txt", "no image")
    try folder.write("\(parent)/b/.hidden.png", "no image")
  }

  @Test func dividedClassFolders() throws {
    let folder = try TemporaryFolder()
    try Self.classes(folder, in: "train")
    try folder.write("test/b/x.jpg", Self.dot)
    try folder.write("test/A/y.ppm", Array("P6\n# made by hand\n2 1 255\n".utf8) + [1, 2, 3, 4, 5, 6])
    let data = try openDataset(folder.path)
    #expect(data.training.classNames == ["A", "b"])
    #expect(data.training.count == 15 && data.validation.count == 2)
    #expect(data.training.classCounts == [5, 10])
    #expect(try data.validation.sample(0).image == Image(width: 2, height: 1, pixels: [1, 2, 3, 4, 5, 6]))
    #expect(data.validation.annotation(1) == .classIndex(1))
    #expect(try data.training.image(6) == formulaImage(4, 4, seed: 1))
  }

  @Test func undividedClassFolders() throws {
    let folder = try TemporaryFolder()
    try Self.classes(folder, in: ".")
    var options = DatasetOptions()
    options.validationFraction = 0.3
    func files(_ set: any ImageDataset) -> [String] { (0..<set.count).map(set.origin) }
    let data = try openDataset(folder.path, options: options)
    // 0.3 of 5 rounds to 2.
    #expect(data.validation.classCounts == [2, 3])
    #expect(data.training.classCounts == [3, 7])
    #expect(Set(files(data.training) + files(data.validation)).count == 15)
    #expect(files(try openDataset(folder.path, options: options).validation) == files(data.validation))
    options.splitSeed = 1
    #expect(files(try openDataset(folder.path, options: options).validation) != files(data.validation))
    // At least one on either side.
    for fraction in [0.001, 0.999] {
      options.validationFraction = fraction
      let data = try openDataset(folder.path, options: options)
      #expect((data.training.classCounts + data.validation.classCounts).min() == 1)
    }
  }

  /// No file that looks like an image is skipped silently.
  @Test func imagesThatCannotBeRead() throws {
    let folder = try TemporaryFolder()
    try Self.classes(folder, in: "train")
    try folder.write("val/b/x.jpg", Self.dot)
    try folder.write("val/A/y.WebP", Array("RIFF....WEBPVP8 ".utf8))
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/val/A/z.png", withDestinationPath: folder.path + "/nowhere.png")
    let broken = try openDataset(folder.path).validation.brokenImages().map {
      $0.description.replacing(folder.path, with: "R")
    }
    #expect(
      broken == [
        "R/val/A/y.WebP: the file is a WebP, not JPEG, PNG or BMP; convert it to JPEG or PNG",
        "R/val/A/z.png: cannot be opened: No such file or directory; check the path and its permissions",
      ])
  }

  @Test func messagesOfClassFolders() throws {
    func problem(_ files: [String], fraction: Double = 0) throws -> String {
      let folder = try TemporaryFolder()
      for file in files { try folder.write(file, Self.dot.jpeg()) }
      var options = DatasetOptions()
      options.validationFraction = fraction
      return message { _ = try openDataset(folder.path, options: options) }?.replacing(folder.path, with: "R") ?? "none"
    }
    #expect(
      try problem(["train/a/1.jpg", "train/b/1.jpg"])
        == "R: has a folder train but none of val, valid, validation, test, testing; add one, or name R/train as the data set and "
        + "a fraction for validation")
    #expect(
      try problem(["train/a/1.jpg", "val/a/1.jpg"])
        == "R/train: has 1 class folders, at least two are needed; found a/; put the images of every class into a "
        + "folder of its name")
    #expect(
      try problem(["train/a/1.jpg", "train/b/1.jpg", "val/a/1.jpg", "val/c/1.jpg"])
        == "R/val/c: is a class that train does not have; name the class folders alike in both splits")
    #expect(
      try problem(["train/a/1.jpg", "train/b/1.txt", "val/a/1.jpg", "val/b/1.jpg"])
        == "R/train/b: is a class folder without images (.jpg, .jpeg, .png, .bmp, .ppm, .pgm); put images into it or "
        + "remove it")
    #expect(
      try problem(["a/1.jpg", "b/1.jpg"])
        == "R: has no train and val, and the fraction for validation is 0.0; give a fraction between 0 and 1, such as 0.1"
    )
    #expect(
      try problem(["a/1.jpg", "b/1.jpg"], fraction: 0.5)
        == "R/a: has one image, which cannot be both for training and for validation; add images or remove the folder"
    )
    let folder = try TemporaryFolder()
    try folder.write("a/1.jpg", Self.dot)
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/a/again", withDestinationPath: folder.path + "/a")
    try folder.write("b/1.jpg", Self.dot)
    var options = DatasetOptions()
    options.validationFraction = 0.5
    #expect(
      message { _ = try openDataset(folder.path, options: options) }?.contains("more than 16 folders deep") == true)
  }

  @Test func messagesOfPaths() throws {
    let folder = try TemporaryFolder()
    try folder.write("cifar-10-python.tar.gz", "x")
    try folder.write("list.txt", "x")
    #expect(
      message { _ = try openDataset(folder.path) }
        == "\(folder.path): is no data set; looked for data_batch_1(.bin) of CIFAR-10, train(.bin) of CIFAR-100, wnids.txt "
        + "of Tiny ImageNet, train-images-idx3-ubyte(.gz), train/ and val/, class folders; found cifar-10-python.tar.gz, "
        + "list.txt; name the folder that holds one of these")
    #expect(
      message { _ = try openDataset(folder.path + "/cifar-10-python.tar.gz") }?
        .hasSuffix("is a file; a data set is a folder; unpack it and name the folder") == true)
    #expect(
      message { _ = try openDataset(folder.path + "/list.txt") }?.hasSuffix("name the folder that contains it") == true)
    #expect(
      message { _ = try openDataset("/no/such/place") }
        == "/no/such/place: there is no such folder; check the path, or say shapes for the built-in data set")
    for index in 0..<8 { try folder.write("\(index).txt", "x") }
    #expect(message { _ = try openDataset(folder.path) }?.contains("4.txt, 5.txt and 4 more;") == true)
    let empty = try TemporaryFolder()
    #expect(message { _ = try openDataset(empty.path) }?.contains("the folder is empty") == true)
  }
}

extension Image {
  /// The image as the bytes of a JPEG file.
  func jpeg() throws -> [UInt8] {
    let folder = try TemporaryFolder()
    try write(to: folder.path + "/a.jpg")
    return try readDataFile(folder.path + "/a.jpg")
  }
}
