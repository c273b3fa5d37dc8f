import ArgumentParser
import SPDDriver
import SPDTraining

struct Val: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Evaluate a classifier or a detector on the validation images of a data set.",
    discussion: """
      A checkpoint of `spdc train` provides the data set, size and normalisation of its run. For other weights the \
      model's preset applies, and --data is required. Options override both. If a folder is not divided into train and \
      val, the run's own folder is evaluated on its validation split and any other folder on every image; \
      --set val-fraction=0.1 evaluates a split.
      """)

  @OptionGroup var options: ModelOptions
  @OptionGroup var training: TrainingOptions
  @Flag(help: "Print the metrics as JSON.") var json = false

  @Option(
    help: """
      Detection: val; test for the test split, whose objects nobody knows (use --save-json); or speed, image by image.
      """)
  var task = DetectionValidationOptions.Task.val
  @Option(name: .customLong("conf"), help: "Detection: minimum confidence.") var confidence: Float = 0.001
  @Option(help: "Detection: IoU threshold of non-maximum suppression within each class.") var iou: Float = 0.6
  @Option(name: .customLong("max-det"), help: "Detection: maximum number of detections per image.") var maximum = 300
  @Option(
    name: .customLong("save-json"),
    help: ArgumentHelp("Detection: write the detections in COCO's results format.", valueName: "file"))
  var saveJSON: String?
  @Flag(help: "Detection: letterbox every image to a square instead of rectangular batches.") var square = false
  @Option(
    help: ArgumentHelp("Detection: folder of the images that COCO annotations name.", valueName: "dir"))
  var images: String?

  func validate() throws {
    try TrainingOptions.check(options)
    guard (0...1).contains(confidence) else { throw ValidationError("--conf must be between 0 and 1.") }
    guard (0...1).contains(iou) else { throw ValidationError("--iou must be between 0 and 1.") }
    guard maximum >= 1 else { throw ValidationError("--max-det must be 1 or more.") }
  }

  func run() async throws {
    try await reporting {
      guard let weights = options.weights else {
        throw Failure(.usage, "no weights: give --weights FILE, such as runs/resnet18-spd/checkpoints/best.safetensors")
      }
      let model = try await LoadedModel.load(options.model)
      let settings = try training.settings(options)
      guard try await model.graph().boxes != nil else {
        let found = try await ClassificationValidation.run(
          model, argument: options.model, weights: weights, config: training.config, preset: training.preset,
          settings: settings, compile: options.compile, isQuiet: json)
        return json ? try Console.print(json: found) : Console.print(found.text)
      }
      var detection = DetectionValidationOptions()
      (detection.task, detection.isSquare, detection.images, detection.results) = (task, square, images, saveJSON)
      (detection.thresholds.confidence, detection.thresholds.iou) = (confidence, iou)
      detection.thresholds.maximum = maximum
      let found = try await DetectionValidation.run(
        model, argument: options.model, weights: weights, settings: settings, compile: options.compile,
        options: detection, isQuiet: json)
      if json { try Console.print(json: found) } else { Console.print(found.text) }
    }
  }
}

extension DetectionValidationOptions.Task: ExpressibleByArgument {}
