import Foundation
import SPDFormats
import Testing

@testable import SPDTraining

/// `spdc train` on drawn images of 12×12 and a network of 28 000 parameters.
@Suite struct TrainTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  /// Steps and validation report the model's own loss; the memory limit is a setting of the run.
  @Test func aLossOfTheModelsOwn() async throws {
    let model = try scratch.write(
      """
      import SPD
      public let own = Model(
        "own", input: .image(3, 12, 12), classes: 10, loss: .mean { y, t in (softmax(y) - t) * (softmax(y) - t) }
      ) { image, classes in
        image.through(Conv(16, kernel: 3), SpaceToDepth(), Conv(32, kernel: 3), GlobalAveragePool(), Flatten(), Linear(classes))
      }
      """, "own.swift")
    var results: [[String]] = []
    for (run, options) in [("a", []), ("b", ["--max-arena", "3MB"])] as [(String, [String])] {
      try await spdc(
        arguments: [
          "train", model, "--data", "shapes:12", "--set", "limit=200", "--epochs", "1", "--batch", "20", "--out",
          scratch(run),
        ]
          + options
      ).succeeded()
      results.append(try TinyTraining.results(scratch(run))[1].split(separator: ",").map(String.init))
    }
    // Mean over ten classes: at most 0.2, and about 0.09 for one that knows nothing; cross-entropy would be 2.3.
    let losses = try [2, 4].map { try #require(Double(results[0][$0])) }
    #expect(losses.allSatisfy { (0.05...0.2).contains($0) }, "\(losses)")
    #expect(results[0][2] == results[1][2])
    #expect(try String(contentsOfFile: scratch("b/config.yaml"), encoding: .utf8).contains("\nmax-arena: 3 "))
    try await TinyTraining.train("--max-arena", "1kB", "--out", scratch("c")).failed(.usage, "raise --max-arena")
  }

  @Test func aNetworkLearnsAndItsWeightsServe() async throws {
    let run = try await TinyTraining.train(
      "--epochs", "10", "--set", "limit=1600", "--lr", "0.01", "--set", "schedule=cosine", "--out", scratch("run"),
      "--json"
    ).succeeded().object()
    #expect(run["finished"] as? Bool == true && run["epochs"] as? Int == 10)
    let top1 = try #require(run["top1"] as? Double)
    #expect(top1 > 0.18, "chance is 0.1")
    // How long the steps waited for data depends on the machine; that it is said does not.
    #expect(run["waiting"] is Double)

    let rows = try TinyTraining.results(scratch("run"))
    #expect(rows.count == 11 && rows[0].hasPrefix("epoch,lr,train/loss,train/top1,val/loss,val/top1,val/top5"))
    let report = try String(contentsOfFile: scratch("run/report.html"), encoding: .utf8)
    for part in ["Curves", "Confusion matrix", "Misclassified images", "Configuration"] {
      #expect(report.contains(part))
    }
    #expect(scratch.names.contains { $0.hasPrefix("run/events.out.tfevents.") })
    #expect(try String(contentsOfFile: scratch("run/config.yaml"), encoding: .utf8).contains("\nbatch: 16 "))

    // The checkpoint's network, compiled for inference, sees what the training saw.
    let last = scratch("run/checkpoints/last.safetensors")
    let val = try await spdc("val", Place.tiny, "--weights", last, "--json").succeeded().object()
    #expect(val["top1"] as? Double == top1)
    #expect(val["images"] as? Int == 1600 && (val["classes"] as? [Any])?.count == 10)
    let best = scratch("run/checkpoints/best.safetensors")
    try await spdc("compile", Place.tiny, "--weights", best, "--size", "12", "-o", scratch("c")).succeeded()
    // New training can begin with it, too.
    try await TinyTraining.train(
      "--epochs", "1", "--weights", best, "--lr", "1e-6", "--set", "limit=1600", "--out", scratch("second")
    ).succeeded()
    #expect(try TinyTraining.column("val/top1", scratch("second"))[0] > 0.15)
  }

  /// A run killed at random times gives the same results as an uninterrupted one.
  @Test(arguments: [
    ["optimizer=sgd", "nesterov=true", "ema=0.9", "accumulate=3", "clip=1"],
    ["optimizer=adamw", "lr=0.003", "label-smoothing=0.1", "decay=weights", "schedule=cosine"],
  ])
  func aKilledRunGoesOnBitForBit(settings: [String]) async throws {
    let options = ["--epochs", "16", "--save-iterations", "1"] + settings.flatMap { ["--set", $0] }
    try await TinyTraining.train(arguments: options + ["--out", scratch("whole")]).succeeded()
    let last = scratch("killed/checkpoints/last.safetensors")
    var kills = 0
    var isOver = false
    while !isOver {
      // There is nothing to resume from if the first attempt was killed too early.
      let begins = !exists(last)
      // In turns as soon as something was saved, and wherever it is; in the end it is left alone.
      let delay = Double.random(in: 0...0.25)
      let outcome = try await TinyTraining.train(
        arguments: begins
          ? options + ["--out", scratch("killed")] : ["--resume", scratch("killed"), "--save-iterations", "1"],
        shell: kills == 4 ? ":" : interruption("KILL", after: delay, writing: kills % 2 == 0 ? last : nil))
      isOver = outcome.code == 0
      guard isOver || outcome.code == 128 + SIGKILL else {
        Issue.record("\(outcome.code): \(outcome.errors)")
        break
      }
      if !isOver { kills += 1 }
    }
    #expect(isOver && kills > 1)
    for name in ["last", "best"] {
      #expect(
        try TinyTraining.payload(scratch("killed"), name) == TinyTraining.payload(scratch("whole"), name), "\(name)")
    }
    #expect(try TinyTraining.results(scratch("killed")) == TinyTraining.results(scratch("whole")))
    let curves = try TinyTraining.curves(scratch("killed"))
    #expect(try curves == TinyTraining.curves(scratch("whole")))
    #expect(curves["train/loss"]?.count == 16)
  }

  /// Resuming from an earlier checkpoint keeps later ones, which do not count as the best of the new branch.
  @Test func resumingFromAnEarlierEpoch() async throws {
    try await TinyTraining.train("--epochs", "6", "--save-every", "1", "--out", scratch("run")).succeeded()
    let best = scratch("run/checkpoints/best.safetensors")
    let bestEpoch = try TrainingCheckpoint(contentsOf: best).state.epoch
    try FileManager.default.removeItem(atPath: scratch("run/checkpoints/epoch-6.safetensors"))
    // The best checkpoint is of the earliest epoch, or is the one to resume from.
    let first = scratch("run/checkpoints/epoch-1.safetensors")
    let resumed = try await TinyTraining.train("--resume", first, "--epochs", "2").succeeded()
    #expect(resumed.errors.contains("is of epoch \(bestEpoch), which will be repeated") == (bestEpoch > 1))
    let now = try TrainingCheckpoint(contentsOf: best).state
    #expect(now.epoch <= 2 && now.best?.epoch == now.epoch)
    #expect(exists(scratch("run/checkpoints/epoch-\(bestEpoch).safetensors")))
    #expect(try TrainingCheckpoint(contentsOf: scratch("run/checkpoints/epoch-6.safetensors")).state.epoch == 6)
    #expect(try TinyTraining.results(scratch("run")).count == 3)
    let curves = try TinyTraining.curves(scratch("run"))
    #expect(curves["val/top1"]?.keys.sorted() == [1, 2])
  }

  @Test func theSameBytesForAnyNumberOfThreads() async throws {
    for (index, threads) in [("1", "1"), ("2", "3"), ("3", "2")].enumerated() {
      try await TinyTraining.train(
        "--epochs", "2", "--threads", threads.0, "--loader-threads", threads.1, "--out", scratch("\(index)")
      ).succeeded()
      #expect(try TinyTraining.payload(scratch("\(index)")) == TinyTraining.payload(scratch("0")))
      #expect(try TinyTraining.results(scratch("\(index)")) == TinyTraining.results(scratch("0")))
    }
    try await TinyTraining.train("--epochs", "2", "--seed", "1", "--out", scratch("other")).succeeded()
    #expect(try TinyTraining.payload(scratch("other")) != TinyTraining.payload(scratch("0")))
  }

  @Test(arguments: ["INT", "TERM"]) func aSignalEndsWithACheckpoint(signal: String) async throws {
    // Not before there is a checkpoint: how long compiling takes, depends on the machine.
    let outcome = try await TinyTraining.train(
      arguments: ["--epochs", "100000", "--out", scratch("run"), "--json"],
      shell: interruption(signal, writing: scratch("run/checkpoints/last.safetensors")))
    #expect(outcome.code == Exit.interrupted.rawValue, "\(outcome.errors)")
    let answer = try outcome.object()
    #expect(answer["finished"] as? Bool == false)
    let epochs = try #require(answer["epochs"] as? Int)
    let resumed = try await TinyTraining.train("--resume", scratch("run"), "--epochs", "\(epochs + 1)").succeeded()
    #expect(resumed.errors.contains("resuming after epoch \(epochs), iteration "))
    #expect(exists(scratch("run/report.html")))
    #expect(try TinyTraining.results(scratch("run")).count == epochs + 2)
  }

  /// As in `spdc train … 2>&1 | head -n 1`.
  @Test func aReaderThatLeavesDoesNotEndIt() async throws {
    let pipe = scratch("pipe")
    let reader = "mkfifo '\(pipe)'; head -c 1 < '\(pipe)' > /dev/null & exec > '\(pipe)' 2>&1"
    let outcome = try await TinyTraining.train(
      arguments: ["--epochs", "2", "--set", "limit=64", "--out", scratch("run")], shell: reader)
    #expect(outcome.code == 0)
    #expect(try TinyTraining.results(scratch("run")).count == 3)
  }

  @Test func keptCheckpointsAndTerminalOutput() async throws {
    let run = try await TinyTraining.train(
      "--epochs", "4", "--save-every", "2", "--out", scratch("run"), "--set", "validate-every=3"
    ).succeeded()
    #expect(run.output.contains("report: \(scratch("run/report.html"))"))
    #expect(run.output.contains("% of the time waiting for images"))
    #expect(run.errors.contains("epoch 3/4  loss ") && run.errors.contains("val loss "))
    let kept = scratch.names.filter { $0.hasPrefix("run/checkpoints/") }
    #expect(kept == ["best", "epoch-2", "epoch-4", "last"].map { "run/checkpoints/\($0).safetensors" })
    let names = try await spdc("train", Place.tiny, "--settings", "--set", "momentum=0.8").succeeded()
    #expect(names.output.contains("momentum: 0.8 "))
  }

  // MARK: - what goes wrong

  @Test func aLossThatIsNoNumberStopsTheRun() async throws {
    let outcome = try await TinyTraining.train(
      "--epochs", "3", "--lr", "1e30", "--set", "warmup-epochs=0", "--out", scratch("run"))
    outcome.failed(.diverged, "in epoch 1, iteration ", "a lower lr", "The last checkpoint is intact: ")
    // It is: of the beginning.
    let val = try await spdc(
      "val", Place.tiny, "--weights", scratch("run/checkpoints/last.safetensors"), "--json"
    ).succeeded().object()
    #expect(try #require(val["loss"] as? Double) < 10)
  }

  @Test func aFullDiskStopsTheRun() async throws {
    try await TinyTraining.train("--epochs", "1", "--out", scratch("run")).succeeded()
    let last = scratch("run/checkpoints/last.safetensors")
    let before = try bytes(last)
    // 64 KiB a file, which is less than a checkpoint.
    let outcome = try await TinyTraining.train(
      arguments: ["--resume", scratch("run"), "--epochs", "2"], shell: "ulimit -f 128")
    outcome.failed(.cannotWrite, "cannot be written: File too large", "The last checkpoint is intact: \(last)")
    #expect(try bytes(last) == before)
    #expect(!scratch.names.contains { $0.contains(".spdc-") })
  }

  @Test func brokenImagesAreNamed() async throws {
    let folder = try TinyTraining.images(in: scratch)
    let broken = try scratch.write("P6 12 12 255 short", "images/train/red/broken.ppm")
    let run = try await TinyTraining.train("--data", folder, "--epochs", "2", "--out", scratch("run")).succeeded()
    #expect(run.errors.components(separatedBy: "warning: skipped: \(broken)").count == 2, "once")
    #expect(run.output.contains("1 broken images were skipped"))
    #expect(try String(contentsOfFile: scratch("run/broken.txt"), encoding: .utf8).hasPrefix(broken + ": "))
    let strict = try await TinyTraining.train("--data", folder, "--epochs", "2", "--out", scratch("strict"), "--strict")
    strict.failed(.data, broken)
    let val = try await spdc(
      "val", Place.tiny, "--weights", scratch("run/checkpoints/last.safetensors")
    ).succeeded()
    #expect(val.output.contains("blue") && val.output.contains("top-1 100.00 %"))
  }

  @Test func mistakesAreExplained() async throws {
    func train(_ arguments: String...) async throws -> Outcome { try await spdc(arguments: ["train"] + arguments) }
    try await train(Place.tiny).failed(.usage, "no data set: give --data")
    try await train(Place.tiny, "--data", "/no/such").failed(.noInput, "/no/such: there is no such folder")
    try await train(Place.tiny, "--data", "shapes:12", "--set", "learning-rate=1").failed(
      .usage, "there is no setting `learning-rate`; did you mean `lr`?")
    try await train(Place.tiny, "--data", "shapes:12", "--batch", "16", "--lr=-1").failed(.usage, "`lr` must be")
    let yaml = try scratch.write("epochs: 3\nmomentun: 1\n", "c.yaml")
    try await train(Place.tiny, "--data", "shapes:12", "--config", yaml).failed(
      .data, "\(yaml):2: there is no setting `momentun`; did you mean `momentum`?")
    try await train(Place.tiny, "--data", "shapes:12", "--preset", "imagenet").failed(.usage, "there is no preset")
    let hyp = try scratch.write("lr0: 0.01\n", "hyp.yaml")
    try await train(Place.tiny, "--data", "shapes:12", "--hyp", hyp).failed(.usage, "is a classifier")
    try await train(Place.tiny, "--data", "shapes:12", "--classes", "3", "--set", "limit=20").failed(
      .usage, "has 3 classes, but shapes 12×12, training has 10")
    try await train(Place.tiny, "--resume", scratch("nothing")).failed(.noInput, "no such run")
    try await train(Place.tiny, "--resume", scratch("x"), "--out", scratch("y")).failed(.usage, "--out")
    try await train(Place.tiny, "--data", "shapes:12", "--tune").failed(.usage, "--tune")
  }

  @Test func aRunResumesWithItsSettings() async throws {
    try await TinyTraining.train("--epochs", "1", "--out", scratch("run")).succeeded()
    try await TinyTraining.train("--epochs", "1", "--out", scratch("run")).failed(.usage, "already contains a run")
    try FileManager.default.createDirectory(atPath: scratch("own"), withIntermediateDirectories: true)
    let own = try scratch.write("epochs: 1  # mine\n", "own/config.yaml")
    try await TinyTraining.train("--config", own, "--out", scratch("own")).failed(
      .usage, "own/config.yaml already exists and would be overwritten")
    let named = try scratch.write(
      try String(contentsOfFile: Place.tiny, encoding: .utf8).replacing("tiny-spd", with: "named").replacing(
        "Linear(classes)", with: "Linear(classes).named(\"ema\")"), "named.swift")
    try await spdc("train", named, "--data", "shapes:12", "--set", "limit=20").failed(
      .usage, "the name of parameter ema.weight starts with a prefix that checkpoints reserve")
    try await TinyTraining.train("--resume", scratch("run"), "--batch", "8").failed(
      .usage, "the run was started with batch 16", "a resumed run can change data, epochs")
    let other = try scratch.write(
      try String(contentsOfFile: Place.tiny, encoding: .utf8).replacing("tiny-spd", with: "other").replacing(
        "Conv2D(64", with: "Conv2D(48"), "other.swift")
    try await spdc("train", other, "--resume", scratch("run"), "--epochs", "2").failed(
      .data, "is a checkpoint of tiny-spd and does not match other")
    try await TinyTraining.train(
      "--resume", scratch("run"), "--epochs", "2", "--data", "shapes:12", "--set", "limit=100"
    )
    .failed(.usage, "the run was started with limit 160")
    let resume = ["--resume", scratch("run"), "--epochs", "2"]
    try await TinyTraining.train(arguments: resume + ["--data", "shapes:12:0.3"]).failed(
      .data, "whose images had other names or labels")
    try await TinyTraining.train(arguments: resume + ["--data", "shapes:16"]).failed(
      .data, "is from a run on images of 12x12, but they are 16x16 now")
    let exact = try await TinyTraining.train(arguments: resume + ["--exact", "--epochs", "1"]).succeeded()
    #expect(exact.errors.contains("the run was started with --target native and resumes with --target native --exact"))
    // Settings that do not affect results may change.
    try await TinyTraining.train("--resume", scratch("run"), "--epochs", "2", "--max-arena", "50MB").succeeded()
    // A damaged checkpoint is noticed.
    let last = scratch("run/checkpoints/last.safetensors")
    var damaged = try bytes(last)
    damaged[damaged.count - 5] ^= 1
    _ = try scratch.write(damaged, "run/checkpoints/last.safetensors")
    try await TinyTraining.train("--resume", scratch("run"), "--epochs", "2").failed(.data, "is damaged")
    // Training cannot resume from weights without a state.
    _ = try scratch.write(
      try bytes(Place.formats + "/../../Fixtures/shapes/000.jpg"), "run/checkpoints/last.safetensors")
    try await TinyTraining.train("--resume", scratch("run"), "--epochs", "2").failed(.data, "last.safetensors")
  }
}

/// A training that takes a second.
enum TinyTraining {
  static func train(_ arguments: String...) async throws -> Outcome { try await train(arguments: arguments) }

  /// 160 images in batches of 16, unless the arguments say otherwise.
  static func train(arguments: [String], shell: String? = nil) async throws -> Outcome {
    let isNew = !arguments.contains("--resume")
    let data = arguments.contains("--data") ? [] : ["--data", "shapes:12"]
    return try await spdc(
      arguments: ["train", Place.tiny]
        + (isNew ? data + ["--batch", "16", "--threads", "1", "--set", "limit=160", "--set", "crop-padding=1"] : [])
        + arguments, shell: shell)
  }

  /// The numbers of a checkpoint, as bytes: weights, optimiser, average.
  static func payload(_ run: String, _ name: String = "last") throws -> ArraySlice<UInt8> {
    let file = try bytes("\(run)/checkpoints/\(name).safetensors")
    return file[(8 + file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) })...]
  }

  /// The lines of results.csv, without what only the clock decides: speed and seconds, at the end.
  static func results(_ run: String) throws -> [String] {
    try String(contentsOfFile: run + "/results.csv", encoding: .utf8).split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).dropLast(2).joined(separator: ",")
    }
  }

  static func column(_ name: String, _ run: String) throws -> [Double] {
    let rows = try results(run).map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    let index = try #require(rows[0].firstIndex { $0 == name })
    return rows.dropFirst().compactMap { Double($0[index]) }
  }

  /// What TensorBoard shows: by tag, the value of each step. A file that begins with a step makes those of earlier files from that
  /// step on void.
  static func curves(_ run: String) throws -> [String: [Int: Float]] {
    var curves: [String: [Int: Float]] = [:]
    let names = try FileManager.default.contentsOfDirectory(atPath: run).filter { $0.contains("tfevents") }.sorted()
    for name in names {
      for record in try TFRecord.records(bytes(run + "/" + name), path: name) {
        var event = ProtobufReader(record, path: name)
        var step = 0
        while let (field, value) = try event.next() {
          switch field {
          case Event.Field.step: step = try #require(value.int)
          case Event.Field.sessionLog:
            for tag in curves.keys { curves[tag] = curves[tag]!.filter { $0.key < step } }
          case Event.Field.summary:
            for (tag, value) in try scalars(try #require(value.bytes)) {
              curves[tag, default: [:]][step] = value
            }
          default: break
          }
        }
      }
    }
    return curves
  }

  /// Those of a summary that are the same in every run.
  private static func scalars(_ summary: ArraySlice<UInt8>) throws -> [(tag: String, value: Float)] {
    var values = ProtobufReader(summary, path: "summary")
    var scalars: [(tag: String, value: Float)] = []
    while let value = try values.next() {
      var scalar = ProtobufReader(try #require(value.value.bytes), path: "scalar")
      var (tag, number) = ("", Float.nan)
      while let (field, value) = try scalar.next() {
        if field == Scalar.Field.tag { tag = try #require(value.string) }
        if field == Scalar.Field.simpleValue { number = try #require(value.float) }
      }
      if !["images_per_second", "seconds"].contains(tag) { scalars.append((tag, number)) }
    }
    return scalars
  }

  /// Class folders of red and blue images, with train and val.
  static func images(in scratch: Scratch) throws -> String {
    for split in ["train", "val"] {
      for (name, pixel) in [("blue", [20, 30, 200]), ("red", [200, 30, 20])] as [(String, [UInt8])] {
        try FileManager.default.createDirectory(
          atPath: scratch("images/\(split)/\(name)"), withIntermediateDirectories: true)
        for index in 0..<24 {
          let shade = pixel.map { $0 &+ UInt8(index) }
          _ = try scratch.write(
            Array("P6 12 12 255\n".utf8) + (0..<144).flatMap { _ in shade }, "images/\(split)/\(name)/\(index).ppm")
        }
      }
    }
    return scratch("images")
  }
}
