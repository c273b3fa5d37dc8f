import Foundation
import SPD
import SPDData
import SPDTraining
import Testing

@testable import SPDDriver

/// What `spdc train` reads.
@Suite struct TrainingDataTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  /// The published augmentations and statistics; a flip and a crop around the centre of symmetry may change places.
  @Test func presetsAreThoseOfThePaper() throws {
    let cifar = try TrainingConfiguration.resolve(model: "resnet50-spd").augmentation.transform(Size2D(32, 32))
    #expect(
      cifar
        == ImageTransform(
          height: 32, width: 32, augmentations: [.horizontalFlip(0.5), .randomCrop(4), .rotation(15)],
          standardisation: Standardisation(
            scale: .unit, mean: [0.5070751592, 0.4865488733, 0.4409178433],
            std: [0.2673342859, 0.2564384629, 0.2761504713])))
    let tiny = try TrainingConfiguration.resolve(model: "resnet18-spd").augmentation.transform(Size2D(64, 64))
    #expect(
      tiny
        == ImageTransform(
          height: 64, width: 64, augmentations: [.horizontalFlip(0.5), .randomCrop(4), .verticalFlip(0.5)],
          standardisation: Standardisation(
            scale: .byte, mean: [122.4786, 114.2755, 101.3963], std: [70.4924, 68.5679, 71.8127])))
    #expect(tiny.evaluation.augmentations.isEmpty)
  }

  @Test func trainsOnEveryLayout() async throws {
    let cifar = Place.repository + "/Tests/SPDDataTests/Fixtures/"
    try FileManager.default.createDirectory(atPath: scratch("cifar"), withIntermediateDirectories: true)
    _ = try scratch.write((0..<10).map { "class \($0)\n" }.joined(), "cifar/batches.meta.txt")
    for name in (1...5).map({ "data_batch_\($0)" }) + ["test_batch"] {
      var records: [UInt8] = []
      for number in 0..<4 {
        records.append(UInt8(number))
        for index in 0..<3072 { records.append(UInt8(truncatingIfNeeded: index * 37 + number * 101)) }
      }
      _ = try scratch.write(records, "cifar/\(name).bin")
    }
    let jpeg = try bytes(Place.shapes + "/000.jpg")
    for (name, contents) in [
      ("wnids.txt", Array("n02\nn01\n".utf8)), ("words.txt", Array("n01\tgoldfish\nn02\tshark\n".utf8)),
      ("train/n01/images/n01_0.JPEG", jpeg), ("train/n01/images/n01_1.JPEG", jpeg),
      ("train/n02/images/n02_0.JPEG", jpeg), ("val/images/val_0.JPEG", jpeg),
      ("val/val_annotations.txt", Array("val_0.JPEG\tn01\t0\t0\t9\t9\n".utf8)),
    ] {
      let folder = URL(fileURLWithPath: scratch("tiny/" + name)).deletingLastPathComponent()
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      _ = try scratch.write(contents, "tiny/" + name)
    }
    for (index, (data, classes, name)) in [
      (cifar + "cifar-10-batches-py", 10, "CIFAR-10, training"),
      (cifar + "cifar-100-python", 100, "CIFAR-100, training"),
      (scratch("cifar"), 10, "CIFAR-10, training"), (scratch("tiny"), 2, "Tiny ImageNet, training"),
    ].enumerated() {
      let run = try await spdc(
        "train", Place.tiny, "--data", data, "--set", "image-size=12", "--epochs", "1", "--batch", "2", "--threads",
        "1",
        "--lr", "1e-3", "--out", scratch("\(index)"), "--json"
      ).succeeded().object()
      #expect(run["data"] as? String == name && run["classes"] as? Int == classes && run["loss"] is Double)
    }
  }

  /// Batches whose images are all broken are left out, in training and in validation.
  @Test func batchesOfBrokenImages() async throws {
    let folder = try TinyTraining.images(in: scratch)
    for file in ["train/blue/00.ppm", "train/red/zz.ppm", "val/red/zz.ppm"] {
      _ = try scratch.write("P6 12 12 255 short", "images/" + file)
    }
    // 50 images in batches of one, two to an update; the validation's last batch is the broken one.
    let options = ["--data", folder, "--epochs", "2", "--batch", "1", "--set", "accumulate=2", "--lr", "1e-4"]
    let run = try await TinyTraining.train(arguments: options + ["--out", scratch("run"), "--json"]).succeeded()
      .object()
    #expect(run["broken_images"] as? Int == 3 && run["finished"] as? Bool == true)
    let last = try TrainingCheckpoint(contentsOf: scratch("run/checkpoints/last.safetensors")).state
    #expect(last.epoch == 2 && last.summed == 0 && (48...50).contains(last.updates), "\(last.updates)")

    // Refused, but what was learned before stays.
    let strict = options.map { $0 == "2" ? "1" : $0 } + ["--out", scratch("strict")]
    for file in ["train/blue/00.ppm", "train/red/zz.ppm"] {
      try FileManager.default.removeItem(atPath: folder + "/" + file)
    }
    try await TinyTraining.train(arguments: strict + ["--strict"]).failed(.data, "val/red/zz.ppm")
    try FileManager.default.removeItem(atPath: folder + "/val/red/zz.ppm")
    let resumed = try await TinyTraining.train("--resume", scratch("strict")).succeeded()
    #expect(resumed.errors.contains("resuming after epoch 0, iteration 48"))

    // Where they cannot be saved either, both reasons are told.
    _ = try scratch.write("P6 12 12 255 short", "images/val/red/zz.ppm")
    try await TinyTraining.train(
      arguments: ["--resume", scratch("strict"), "--epochs", "2", "--strict"], shell: "ulimit -f 128"
    ).failed(
      .data, "val/red/zz.ppm", "The steps since the last checkpoint could not be saved: ", "File too large",
      "The last checkpoint")
  }

  @Test func nothingButBrokenImages() async throws {
    let folder = try TinyTraining.images(in: scratch)
    func spoil(_ split: String) throws {
      for name in scratch.names where name.hasPrefix("images/\(split)/") && name.hasSuffix(".ppm") {
        _ = try scratch.write("P6", name)
      }
    }
    try spoil("val")
    try await TinyTraining.train("--data", folder, "--epochs", "1", "--out", scratch("a")).failed(
      .data, "none of its 48 images can be read", "The last checkpoint is intact")
    try spoil("train")
    try await TinyTraining.train("--data", folder, "--epochs", "1", "--out", scratch("b")).failed(
      .data, "none of its 48 images can be read")
  }

  /// A network may have more outputs than the data set has classes, and its checkpoints know how many.
  @Test func moreOutputsThanClasses() async throws {
    try await TinyTraining.train("--epochs", "1", "--classes", "13", "--out", scratch("run")).succeeded()
    let best = scratch("run/checkpoints/best.safetensors")
    let val = try await spdc("val", Place.tiny, "--weights", best, "--json").succeeded().object()
    #expect(val["images"] as? Int == 160 && (val["classes"] as? [Any])?.count == 10)
    try await spdc("compile", Place.tiny, "--weights", best, "--size", "12", "-o", scratch("c")).succeeded()
    let resumed = try await TinyTraining.train("--resume", scratch("run"), "--epochs", "2", "--json").succeeded()
      .object()
    #expect(resumed["epochs"] as? Int == 2)
  }

  /// Paddings beyond the image, and numbers beyond all measure.
  @Test func settingsOfAnySize() async throws {
    try await TinyTraining.train("--epochs", "1", "--set", "crop-padding=40", "--out", scratch("run")).succeeded()
    for setting in [
      "crop-padding=4097", "max-arena=1e13", "epochs=9223372036854775807", "warmup-epochs=9223372036854775807",
      "accumulate=9223372036854775807", "batch=9223372036854775807",
    ] {
      try await TinyTraining.train("--set", setting, "--out", scratch("no")).failed(
        .usage, "`\(setting.prefix { $0 != "=" })` must be")
    }
    #expect(!exists(scratch("no")))
  }
}
