import ArgumentParser
import Foundation
import SPD
import SPDDriver
import SPDFormats
import SPDTraining
import SPDVision

struct Classify: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Classify images.",
    discussion:
      "Images (JPEG, PNG, BMP) are scaled to cover the network's input, cropped and normalised as in training. Size, normalisation and class names come from the checkpoint unless set by options."
  )

  enum Preset: String, ExpressibleByArgument, CaseIterable {
    /// (x − mean) / std with Tiny ImageNet's statistics, values 0–255.
    case tinyImageNet = "tiny-imagenet"
    /// (x − mean) / std with the statistics that the CIFAR-10 networks were trained with, values 0–1.
    case cifar
    /// (x − 0.5) / 0.25, values 0–1: the default of `spdc train`.
    case `default`
    /// Values 0–1, not normalised.
    case none

    var preprocessing: ImagePreprocessing {
      switch self {
      case .tinyImageNet: .ofPreset("resnet18-spd")
      case .cifar: .ofPreset("resnet50-spd")
      case .default: .ofPreset(TrainingPreset.fallback)
      case .none: .unit
      }
    }
  }

  @OptionGroup var options: ModelOptions
  @OptionGroup var threads: ThreadOptions
  @Argument(help: "Image files and folders of images.") var images: [String]
  @Option(help: "Number of classes to print.") var top = 5
  @Option(
    help:
      "Normalisation: tiny-imagenet, cifar, default or none. Default: the checkpoint's, else that of the paper's network of the same name, else none."
  )
  var normalise: Preset?
  @Flag(help: "Print the classes as JSON.") var json = false

  func validate() throws {
    guard top >= 1 else { throw ValidationError("--top must be 1 or more.") }
    if options.batch ?? 1 != 1 { throw ValidationError("classify runs one image at a time; remove --batch.") }
  }

  private struct Answer: Encodable {
    struct Class: Encodable {
      var `class`: Int, name: String, probability: Float
    }
    var image: String
    var classes: [Class]?
    /// Why the image has no result.
    var error: String?
  }

  func run() async throws {
    try await reporting {
      let weighted = try await options.load()
      try Classifier.check(weighted.graph)
      let builder = try Builder(target: options.target)
      let threads = try self.threads.threads
      let pipeline = try await options.compile.tuned(weighted.graph, builder, threads: threads)
      let ready = try await builder.ready(weighted, options: pipeline)
      let preprocessing = normalise?.preprocessing ?? .of(weighted.graph)
      let classifier = try Classifier(ready, preprocessing: preprocessing, threads: threads)
      if normalise == nil, weighted.graph.preprocessing == nil {
        Console.note("the weights do not record their preprocessing; using \(preprocessing)")
      }

      try await ImageInputs(images).run("classify", json: json) { entry, image in
        let classes = try classifier.classify(image, top: top)
        return Answer(
          image: entry.text,
          classes: classes.map { Answer.Class(class: $0.index, name: $0.name, probability: $0.probability) })
      } failed: {
        Answer(image: $0.text, error: $1)
      } show: {
        show($0)
      }
    }
  }

  private func show(_ answer: Answer) {
    Console.print(printable(answer.image))
    for item in answer.classes ?? [] {
      Console.print(String(format: "  %5.1f %%  %@", item.probability * 100, printable(item.name)))
    }
  }
}
