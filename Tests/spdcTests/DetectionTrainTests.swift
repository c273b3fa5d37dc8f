import Foundation
import SPDFormats
import SPDVision
import Testing

/// `spdc dataset`, `train`, `val` and `evaluate` with a detector of 60 000 parameters on generated images of 96×96.
@Suite struct DetectionTrainTests {
  private let scratch: Scratch
  private let model: String

  init() throws {
    scratch = try Scratch()
    model = try scratch.write(
      """
      import SPD
      public let small = Model("small-spd", input: .image(3, 96, 96), classes: 3) { image, classes in
        let a = image.through(
          Focus(8, kernel: 3), Conv(16, kernel: 3), SpaceToDepth(), Conv(16, kernel: 1), Conv(16, kernel: 3), SpaceToDepth(),
          Conv(24, kernel: 1))
        let b = a.through(Conv(24, kernel: 3), SpaceToDepth(), Conv(32, kernel: 1))
        let c = b.through(Conv(32, kernel: 3), SpaceToDepth(), Conv(32, kernel: 1))
        return Detect(classes: classes, anchors: .yolov5)(a, b, c)
      }
      """, "small.swift")
  }

  private func shapes(_ train: Int, _ val: Int) async throws -> String {
    let folder = scratch("shapes")
    try await spdc(
      "dataset", "shapes", "-o", folder, "--train", "\(train)", "--val", "\(val)", "--size", "96"
    ).succeeded()
    return folder
  }

  private func train(_ data: String, _ more: String...) async throws -> Outcome { try await train(data, more) }

  private func train(_ data: String, _ more: [String], shell: String? = nil) async throws -> Outcome {
    try await spdc(
      arguments: [
        "train", model, "--data", data, "--size", "96", "--batch", "8", "--set", "warmup-iterations=4", "--threads",
        "2",
      ] + more, shell: shell)
  }

  @Test func aDetectorLearnsAndIsValidated() async throws {
    let data = try await shapes(96, 24)
    let check = try await spdc("dataset", "check", data, "--json").succeeded().object()
    let splits = try #require(check["splits"] as? [[String: Any]])
    #expect(splits.map { $0["labelled"] as? Int } == [96, 24])

    let run = try await train(
      data, "--epochs", "10", "--save-every", "1", "--lr", "0.05", "--set", "nominal-batch=8", "--out", scratch("run"),
      "--json"
    ).succeeded().object()
    #expect(run["finished"] as? Bool == true)
    let rows = try TinyTraining.results(scratch("run"))
    #expect(rows.count == 11)
    #expect(
      rows[0]
        == "epoch,train/box_loss,train/obj_loss,train/cls_loss,metrics/precision,metrics/recall,metrics/mAP_0.5,"
        + "metrics/mAP_0.5:0.95,val/box_loss,val/obj_loss,val/cls_loss,x/lr0,x/lr1,x/lr2,metrics/fitness")
    // The warm-up of four steps is over in the first epoch of twelve.
    let rates = try ["x/lr0", "x/lr1", "x/lr2"].map { try TinyTraining.column($0, scratch("run")) }
    #expect(rates[0].count == 10 && rates[0] == rates[1])
    #expect(try TinyTraining.curves(scratch("run"))["x/lr2"]?.count == 10)
    let box = try TinyTraining.column("train/box_loss", scratch("run"))
    #expect(box[9] < 0.85 * box[0], "\(box)")
    let report = try String(contentsOfFile: scratch("run/report.html"), encoding: .utf8)
    for part in [
      "Curves", "Metrics by class", "Confusion matrix", "Labels", "Predictions beside labels", "Configuration",
      "x/lr2",
    ] {
      #expect(report.contains(part), "\(part)")
    }

    // The compiled network sees in val what it saw during training; its detections as a file give COCO's numbers again.
    let best = scratch("run/checkpoints/last.safetensors")
    let val = try await spdc(
      "val", model, "--data", data, "--weights", best, "--size", "96", "--save-json", scratch("found.json"), "--batch",
      "8",
      "--json"
    ).succeeded().object()
    let map = try #require(val["map50"] as? Double)
    #expect(map == (run["metrics"] as? [String: Double])?["metrics/mAP_0.5"])
    let coco = try #require(val["coco"] as? [String: Double])
    #expect(Set(coco.keys) == Self.numbers)
    #expect((val["ms_per_image"] as? [String: Double])?.count == 3 && (val["classes"] as? [Any])?.count == 6)

    try await spdc("dataset", "convert", data, "-o", scratch("coco")).succeeded()
    let annotations = try #require(
      scratch.names.first { $0.hasPrefix("coco/") && $0.hasSuffix("val.json") }, "\(scratch.names.prefix(40))")
    let evaluated = try await spdc(
      "evaluate", "--detections", scratch("found.json"), "--annotations", scratch(annotations), "--json"
    )
    // The images of a converted set have ids of their own, in the order of the paths, as val numbers them.
    let again = try evaluated.succeeded().object()
    for name in ["AP", "AP50", "AR100"] {
      let (one, other) = (try #require(again[name] as? Double), try #require(coco[name]))
      #expect(abs(one - other) < 1e-6, "\(name): \(one), \(other)")
    }
    // A network compared with itself finds the same objects; with its first epoch, more of them.
    let compared = try await spdc(
      "compare", model, model, "--weights", best, "--weights", scratch("run/checkpoints/epoch-1.safetensors"), "--data",
      data, "--size", "96", "-o", scratch("compared"), "--json"
    ).succeeded().object()
    let detectors = try #require(compared["detectors"] as? [[String: Any]])
    #expect(detectors.count == 2 && (detectors[0]["coco"] as? [String: Double])?.count == 12)
    let counts = ["found_by_both", "only_first", "only_second", "neither"].compactMap { compared[$0] as? Int }
    #expect(counts.reduce(0, +) == val["labels"] as? Int)
    #expect(exists(scratch("compared/index.html")))
    try await spdc("compare", model, "--weights", best, "--data", data).failed(.usage, "give two models")
  }

  /// A detector for other classes begins with all tensors but those of its last layer.
  @Test func weightsAreTransferredWhereTheyFit() async throws {
    let data = try await shapes(8, 4)
    try await train(data, "--epochs", "1", "--out", scratch("six")).succeeded()
    let last = scratch("six/checkpoints/last.safetensors")
    try await spdc(
      "dataset", "shapes", "-o", scratch("three"), "--train", "8", "--val", "4", "--size", "96", "--classes", "3"
    ).succeeded()
    let run = try await train(
      scratch("three"), "--epochs", "1", "--weights", last, "--lr", "0", "--set", "warmup-bias-lr=0", "--out",
      scratch("fine"))
    try run.succeeded()
    #expect(run.errors.contains("6 of another shape ("), "\(run.errors)")
    func tensors(_ path: String) throws -> [String: [Float]] {
      try readCheckpoint(path).tensors.mapValues(\.values)
    }
    let (old, new) = (try tensors(last), try tensors(scratch("fine/checkpoints/last.safetensors")))
    let weights = old.keys.filter { $0.hasSuffix("conv.weight") && !$0.contains("momentum") && !$0.hasPrefix("ema") }
    // What is taken over is the EMA.
    #expect(weights.count > 5 && weights.allSatisfy { new[$0] != nil && old["ema." + $0] == new[$0] })
    let other = try scratch.write("not a checkpoint", "x.safetensors")
    try await train(data, "--weights", other, "--out", scratch("no")).failed(.data, "x.safetensors")
  }

  private static let numbers: Set = [
    "AP", "AP50", "AP75", "AP_S", "AP_M", "AP_L", "AR1", "AR10", "AR100", "AR_S", "AR_M", "AR_L",
  ]

  /// A run killed at random times gives the same bytes as an uninterrupted one.
  @Test func killedAndResumedItIsTheSame() async throws {
    let data = try await shapes(40, 8)
    let settings = ["--epochs", "3", "--set", "mixup=0.5", "--set", "ema-ramp=10", "--save-iterations", "1"]
    try await train(data, settings + ["--out", scratch("whole")]).succeeded()
    let last = scratch("killed/checkpoints/last.safetensors")
    var kills = 0
    var isOver = false
    while !isOver {
      // In turns as soon as something was saved, and wherever it is; in the end it is left alone.
      let stop =
        kills == 20 ? ":" : interruption("KILL", after: .random(in: 0...0.2), writing: kills % 2 == 0 ? last : nil)
      let outcome =
        exists(last)
        ? try await spdc(arguments: ["train", model, "--resume", scratch("killed")], shell: stop)
        : try await train(data, settings + ["--out", scratch("killed")], shell: stop)
      isOver = outcome.code == 0
      guard isOver || outcome.code == 128 + SIGKILL else {
        Issue.record("\(outcome.code): \(outcome.errors)")
        break
      }
      if !isOver { kills += 1 }
    }
    #expect(isOver && kills > 1)
    #expect(try TinyTraining.payload(scratch("killed")) == TinyTraining.payload(scratch("whole")))
    #expect(try TinyTraining.results(scratch("killed")) == TinyTraining.results(scratch("whole")))
  }

  /// Trials differ in hyperparameters; those that are not searched come from the file.
  @Test func settingsAreSearched() async throws {
    let data = try await shapes(8, 4)
    let hyp = try scratch.write("mosaic: 0.25\nhsv_h: 0.5\n", "hyp.yaml")
    let space = try scratch.write(
      """
      settings: {epochs: 1, batch: 8, image-size: 96, threads: 2, warmup-iterations: 4}
      space:
        lr: {log: [0.001, 0.1]}
        mosaic: [0, 1]

      """, "space.yaml")
    func sweep(_ model: String, _ data: String, _ space: String, _ more: String...) async throws -> Outcome {
      try await spdc(
        arguments: ["sweep", model, "--data", data, "--space", space, "--out", scratch("sweep")] + more)
    }
    let answer = try await sweep(model, data, space, "--trials", "2", "--hyp", hyp, "--json").succeeded().object()
    #expect(answer["metric"] as? String == "metrics/fitness" && answer["best"] as? Int != nil)
    #expect((answer["trials"] as? [[String: Any]])?.compactMap { $0["metric"] as? Double }.count == 2)
    let table = try String(contentsOfFile: scratch("sweep/sweep.csv"), encoding: .utf8)
    #expect(table.hasPrefix("trial,lr,mosaic,metrics/fitness,seconds,outcome\n1,"))
    #expect(exists(scratch("sweep/sweep.html")) && exists(scratch("sweep/trial-002/report.html")))
    let trial = try String(contentsOfFile: scratch("sweep/trial-001/config.yaml"), encoding: .utf8)
    #expect(trial.contains("\nhsv-h: 0.5 ") && !trial.contains("\nmosaic: 0.25 "))

    try await sweep(Place.tiny, "shapes:12", space).failed(
      .data, "space.yaml:4: `mosaic` is a setting of detection, but this run trains a classifier")
    try await sweep(Place.tiny, "shapes:12", space, "--hyp", hyp).failed(.usage, "--hyp is for detectors")
    let accuracy = try scratch.write("metric: val/top1\nspace: {lr: [0.1, 1]}\n", "accuracy.yaml")
    try await sweep(model, data, accuracy)
      .failed(.data, "accuracy.yaml:1: `metric` must be a column", "metrics/fitness")
  }

  /// A detector of one level, which compiles quickly for several sizes.
  private func oneLevel() throws -> String {
    try scratch.write(
      """
      import SPD
      public let one = Model("one-level", input: .image(3, 32, 32), classes: 6) { image, classes in
        let a = image.through(
          SpaceToDepth(), Conv(8, kernel: 1), SpaceToDepth(), Conv(16, kernel: 1), SpaceToDepth(), Conv(16, kernel: 1))
        return Detect(classes: classes, anchors: .init([[(6, 6), (10, 10), (16, 14)]]))(a)
      }
      """, "one.swift")
  }

  /// Mini-batches have sizes of their own, and images are drawn by the latest validation; a killed run gives the same bytes.
  @Test func sizesAndImagesAreDrawn() async throws {
    let (model, data) = (try oneLevel(), try await shapes(24, 4))
    func run(_ arguments: [String], _ shell: String? = nil) async throws -> Outcome {
      try await spdc(
        arguments: [
          "train", model, "--data", data, "--size", "32", "--batch", "4", "--set", "warmup-iterations=4", "--threads",
          "2", "--epochs", "2", "--lr", "0.1", "--set", "nominal-batch=8",
        ] + arguments, shell: shell)
    }
    let drawn = ["--multi-scale", "--image-weights", "--save-iterations", "1"]
    let whole = try await run(drawn + ["--out", scratch("whole")]).succeeded()
    // 32 and 64, and one arena for both.
    #expect(whole.errors.contains("(arena of 64×64 "), "\(whole.errors)")
    let last = scratch("killed/checkpoints/last.safetensors")
    var kills = 0
    for kill in 0..<4 {
      let stop = interruption("KILL", after: Double(kill) * 0.02, writing: last)
      let outcome =
        exists(last)
        ? try await spdc(arguments: ["train", model, "--resume", scratch("killed")], shell: stop)
        : try await run(drawn + ["--out", scratch("killed")], stop)
      if outcome.code == 128 + SIGKILL { kills += 1 }
    }
    #expect(kills > 0)
    try await spdc("train", model, "--resume", scratch("killed")).succeeded()
    #expect(try TinyTraining.payload(scratch("killed")) == TinyTraining.payload(scratch("whole")))
    #expect(try TinyTraining.results(scratch("killed")) == TinyTraining.results(scratch("whole")))
    try await run(["--multi-scale", "--out", scratch("sizes")]).succeeded()
    let box = try ["whole", "sizes"].map { try TinyTraining.column("train/box_loss", scratch($0)) }
    #expect(box[0] != box[1])
    try await run(["--multi-scale", "--set", "rect=true", "--out", scratch("no")])
      .failed(.usage, "`rect` and `multi-scale` both decide the size of a mini-batch")
    try await spdc("train", model, "--resume", scratch("sizes"), "--image-weights")
      .failed(.usage, "the run was started with image-weights false, which cannot change")
    try await spdc("train", Place.tiny, "--data", "shapes:12", "--multi-scale", "--out", scratch("no"))
      .failed(.usage, "`multi-scale` is a setting of detection")
  }

  /// Rectangular batches have the shape of their images, for which a step is compiled.
  @Test func rectangularBatchesAreTrained() async throws {
    for (split, count) in [("train", 4), ("val", 2)] {
      for part in ["images", "labels"] {
        try FileManager.default.createDirectory(
          atPath: scratch("wide/\(part)/\(split)"), withIntermediateDirectories: true)
      }
      for index in 0..<count {
        try Image(width: 64, height: 32, filledWith: RGB(UInt8(40 * index), 90, 120)).write(
          to: scratch("wide/images/\(split)/\(index).png"))
        _ = try scratch.write("0 0.5 0.5 0.2 0.4\n", "wide/labels/\(split)/\(index).txt")
      }
    }
    let data = try scratch.write(
      "path: wide\ntrain: images/train\nval: images/val\nnames: [a, b, c, d, e, f]\n", "wide.yaml")
    let run = try await spdc(
      "train", try oneLevel(), "--data", data, "--size", "64", "--batch", "4", "--epochs", "1", "--threads", "2",
      "--set", "rect=true", "--out", scratch("run"), "--json"
    ).succeeded().object()
    #expect(run["finished"] as? Bool == true)
  }

  /// An evolution that was killed gives the same table as one that was not.
  @Test func hyperparametersEvolve() async throws {
    let data = try await shapes(8, 4)
    func evolve(_ folder: String, _ count: Int, _ shell: String? = nil) async throws -> Outcome {
      try await train(
        data, ["--epochs", "1", "--evolve", "\(count)", "--out", scratch(folder), "--json"], shell: shell)
    }
    let answer = try await evolve("whole", 2).succeeded().object()
    #expect(answer["best"] as? Int != nil && (answer["generations"] as? [Any])?.count == 2)
    #expect(answer["hyp"] as? String == scratch("whole/hyp_evolve.yaml") && exists(scratch("whole/evolve.html")))
    let second = scratch("killed/generation-002/checkpoints/last.safetensors")
    #expect(try await evolve("killed", 2, interruption("KILL", writing: second)).code == 128 + SIGKILL)
    try await evolve("killed", 2).succeeded()
    func table(_ folder: String) throws -> [Substring] {
      // Without the time, which is before the outcome.
      try String(contentsOfFile: scratch(folder + "/evolve.csv"), encoding: .utf8).split(separator: "\n").map { row in
        row.split(separator: ",", omittingEmptySubsequences: false).dropLast(2).joined(separator: ",")[...]
      }
    }
    #expect(try table("killed") == table("whole"))
    try await train(data, "--epochs", "1", "--hyp", scratch("whole/hyp_evolve.yaml"), "--out", scratch("evolved"))
      .succeeded()

    try await spdc("train", Place.tiny, "--data", "shapes:12", "--evolve", "2", "--out", scratch("no"))
      .failed(.usage, "--evolve mutates the hyperparameters of detectors", "is a classifier; `spdc sweep`")
    try await spdc("train", model, "--data", data, "--evolve", "0").failed(.usage, "--evolve must be 1 to 10000")
    try await spdc("train", model, "--evolve", "2", "--resume", scratch("whole")).failed(
      .usage, "an evolution resumes by the same command; remove --resume")
  }

  @Test func errorsNameTheRemedy() async throws {
    let data = try await shapes(8, 4)
    try await train(data, "--epochs", "1", "--set", "crop-padding=4", "--out", scratch("a"))
      .failed(.usage, "`crop-padding` is a setting of classification, but this run trains a detector")
    try await spdc("train", Place.tiny, "--data", "shapes:12", "--set", "mosaic=1", "--out", scratch("b"))
      .failed(.usage, "`mosaic` is a setting of detection, but this run trains a classifier")
    try await spdc("train", model, "--data", data, "--size", "100", "--out", scratch("c"))
      .failed(.data, "needs an even height and width")
    try await spdc("train", Place.tiny, "--data", "shapes:12", "--set", "fliplr=1", "--out", scratch("b"))
      .failed(.usage, "trains a classifier; set `flip-horizontal`")
    let hyp = try scratch.write("lr0: 0.01\nmosiac: 1\n", "hyp.yaml")
    try await train(data, "--hyp", hyp, "--out", scratch("d")).failed(.data, "mosaic")
    try await spdc("val", model, "--weights", "synthetic", "--size", "96").failed(.usage, "--data DATA.yaml")
    let six = try scratch.write("path: shapes\ntrain: images/train\nval: images/val\nnames: [a, b]\n", "two.yaml")
    try await train(six, "--out", scratch("e"), "--set", "strict=true").failed(
      .data, "000000.txt:1: the class 3 is not below 2")
    try await spdc("evaluate", "--detections", scratch("none.json"), "--annotations", scratch("none.json"))
      .failed(.noInput, "none.json")
    try await spdc("train", model, "--data", data, "--resume", scratch("none")).failed(.noInput, "none")
  }

  /// What people bring is used, or refused before anything is lost.
  @Test func foreignDataIsUnderstood() async throws {
    let data = try await shapes(8, 4)
    let coco = scratch("coco")
    try await spdc("dataset", "convert", data, "-o", coco).succeeded()
    let (train, val) = (coco + "/annotations/instances_train.json", coco + "/annotations/instances_val.json")
    // COCO's annotations by name, and YOLOv5's own hyperparameters, which a search left with fractions.
    let hyp = try scratch.write("anchors: 4.6\n", "hyp.yaml")
    let run = try await self.train(train, "--epochs", "1", "--hyp", hyp, "--out", scratch("a")).succeeded()
    #expect(run.errors.contains("`anchors: 5` is not used: each level has the anchors of the model file's Detect"))
    // The same classes in another order.
    let other = try scratch.write(
      "path: shapes\ntrain: images/train\nval: images/val\nnames: [square, circle, triangle, star, cross, arrow]\n",
      "other.yaml")
    let weights = scratch("a/checkpoints/last.safetensors")
    let found = try await spdc("val", model, "--data", other, "--weights", weights, "--size", "96").succeeded()
    #expect(found.errors.contains("are the same in another order; they are matched by number"))
    // Nothing is written over what is read.
    try await spdc("val", model, "--data", val, "--weights", weights, "--size", "96", "--save-json", val)
      .failed(.usage, "--save-json \(val) would overwrite the input")
    let image = data + "/images/val/000000.jpg"
    try await spdc("dataset", "check", data, "--sheet", image, "--split", "val")
      .failed(.usage, "--sheet \(image) would overwrite the input")
    try await spdc("dataset", "convert", data, "-o", data, "--force").failed(.cannotWrite, "give another folder")
    // Labels that are elsewhere.
    try FileManager.default.moveItem(atPath: data + "/labels", toPath: data + "/label")
    try await self.train(data, "--out", scratch("b"))
      .failed(.data, "none of its 8 images has a label", "are looked for in", "labels/train/000000.txt")
    try FileManager.default.createDirectory(atPath: data + "/annotations", withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: train, toPath: data + "/annotations/instances_train.json")
    try await self.train(data, "--out", scratch("b"))
      .failed(.data, "name COCO's annotations: --data \(data)/annotations/instances_train.json")
    try await spdc("dataset", "shapes", "-o", "/proc/none/shapes").failed(.cannotWrite, "/proc/none")
    let wrong = try scratch.write("train: a\nnames: x\n", "wrong.yaml")
    try await spdc("dataset", "check", wrong).failed(.data, "wrong.yaml:2: `names`")
  }
}
