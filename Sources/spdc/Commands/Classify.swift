import ArgumentParser
import Foundation
import SPD
import SPDDriver
import SPDVision

struct Classify: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what images show.",
    discussion: "Images (JPEG, PNG) are resized bilinearly to the network's input and normalised as --normalise says."
  )

  enum Preset: String, ExpressibleByArgument, CaseIterable {
    /// (x − mean)/std of Tiny ImageNet, values 0–255.
    case tinyImageNet = "tiny-imagenet"
    /// (x − mean)/std as the CIFAR-10 networks were trained, values 0–1.
    case cifar
    /// Values 0–1.
    case none
  }

  @OptionGroup var options: ModelOptions
  @OptionGroup var threads: ThreadOptions
  @Argument(help: "Images.") var images: [String]
  @Option(help: "How many classes to name.") var top = 5
  @Option(
    help:
      "tiny-imagenet, cifar or none; by default what the shipped network was trained with (ResNet18: tiny-imagenet, ResNet50: cifar), else none."
  )
  var normalise: Preset?
  @Flag(help: "Print the classes as JSON.") var json = false

  func validate() throws {
    guard top >= 1 else { throw ValidationError("--top must be 1 or more.") }
    if options.batch ?? 1 != 1 { throw ValidationError("classify runs one image at a time; leave --batch out.") }
  }

  private struct Answer: Encodable {
    struct Class: Encodable {
      var `class`: Int, name: String, probability: Float
    }
    var image: String
    var classes: [Class]
  }

  func run() async throws {
    try await reporting {
      let weighted = try await options.load()
      let shape = weighted.graph.shape(of: weighted.graph.outputs[0])
      if case .decodeBoxes = weighted.graph.nodes.last?.op {
        throw Failure(.usage, "\(weighted.graph.name) detects objects (try detect)")
      }
      guard weighted.graph.outputs.count == 1, shape.height == 1, shape.width == 1,
        weighted.graph.input.shape.channels == 3
      else {
        throw Failure(.usage, "\(weighted.graph.name) does not classify images: it gives \(shape)")
      }
      let names = classNames(weighted, count: shape.channels)
      let size = weighted.graph.input.shape.size
      try checkImages(images)
      let builder = try Builder(target: options.target)
      let pipeline = try await options.compile.tuned(weighted.graph, builder, threads: threads.threads)
      let ready = try await builder.ready(weighted, options: pipeline)
      let session = try ready.network.session(ready.packed, threads: threads.threads)
      let endsInSoftmax = weighted.graph.nodes.last?.op == .softmax

      var answers: [Answer] = []
      let progress = Progress("classify", total: images.count)
      for path in images {
        let image = try Image(contentsOf: path)
        let resized = resizeBilinear(image, width: size.width, height: size.height)
        let scores = try session.infer(input(resized))
        let best =
          endsInSoftmax
          ? scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }.prefix(top).map { ($0, scores[$0]) }
          : softmaxTop(scores, k: min(top, scores.count)).map { ($0.index, $0.probability) }
        answers.append(
          Answer(
            image: path,
            classes: best.map { Answer.Class(class: $0.0, name: names[$0.0], probability: $0.1) }))
        progress.update(answers.count)
      }
      progress.finish()
      if json { return try Console.print(json: answers) }
      for answer in answers {
        Console.print(answer.image)
        for item in answer.classes {
          Console.print(String(format: "  %5.1f %%  %@", item.probability * 100, item.name))
        }
      }
    }
  }

  private func input(_ image: Image) -> [Float] {
    let preset =
      normalise
      ?? (options.model.hasPrefix("resnet18") ? .tinyImageNet : options.model.hasPrefix("resnet50") ? .cifar : .none)
    switch preset {
    case .tinyImageNet: return normalised([image], .tinyImageNet)
    case .cifar: return normalised([image], .cifar)
    case .none: return planar([image])
    }
  }
}
