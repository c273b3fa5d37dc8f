import Foundation
import SPD
import SPDData
import SPDReport
import SPDRuntime
import SPDDriver

/// What a network learns: which networks fit, how a batch supervises a step, what is measured, and what a report shows of it.
///
/// Everything else about a run (steps, schedules, checkpoints, history, sweeps) is the same for every task.
public protocol TrainingTask: Sendable {
  /// What running the network over a whole validation set gave.
  associatedtype Evaluation: Sendable

  /// What is measured in each epoch, in the order of the columns of results.csv.
  static var metrics: [TrainingMetric] { get }
  /// Name of the metric by which the best checkpoint is chosen. Larger is better.
  static var bestMetric: String { get }

  /// Makes sure that a network can learn this from a data set.
  ///
  /// - Throws: `Failure` naming what does not fit.
  func check(_ graph: Graph, for data: TrainingData) throws

  /// What supervises the step of a batch.
  func targets(of batch: Batch, _ configuration: TrainingConfiguration) -> Targets

  /// The training metrics of one step by name, as means over its images.
  ///
  /// - Parameter losses: what `Trainer.step` returned.
  func measured(_ losses: [Float], images: Int) -> [String: Double]

  /// Runs a network over the validation set.
  ///
  /// - Parameters:
  ///   - broken: notes images that cannot be read.
  ///   - progress: called before each batch with the number of images done; returns false to stop.
  /// - Returns: nil where `progress` stopped it.
  func evaluate(
    _ validation: Validation, _ weights: PackedWeights, broken: inout BrokenImages, progress: (Int) -> Bool
  ) throws -> Evaluation?

  /// Images that an evaluation covers; 0 where none could be read.
  func count(_ evaluation: Evaluation) -> Int
  /// Seconds in which nothing was computed because the next images were not ready.
  func waited(_ evaluation: Evaluation) -> Double
  /// The validation metrics by name.
  func values(_ evaluation: Evaluation) -> [String: Double]
  /// What the report shows beside curves and configuration.
  func sections(_ evaluation: Evaluation, _ data: TrainingData) throws -> [ReportSection]
}

/// A number that is measured in each epoch.
public struct TrainingMetric: Sendable, Equatable {
  public enum Unit: Sendable { case loss, fraction }

  /// The column of results.csv and the tag of TensorBoard: `train/loss`, `val/top1`.
  public var name: String
  /// For people: "top-1".
  public var title: String
  public var unit: Unit

  public init(_ name: String, _ title: String, _ unit: Unit) {
    self.name = name
    self.title = title
    self.unit = unit
  }

  public var isValidation: Bool { name.hasPrefix("val/") }

  /// `loss 0.5312`, `top-1 93.20 %`.
  public func text(_ value: Double) -> String { "\(title) \(valueText(value))" }

  public func valueText(_ value: Double) -> String {
    switch unit {
    case .loss: value.isFinite ? String(format: "%.4f", value) : "\(value)"
    case .fraction: String(format: "%.2f %%", value * 100)
    }
  }
}

extension TrainingTask {
  /// The columns of a run's history.
  public static var columns: [String] { ["lr"] + metrics.map(\.name) + ["images_per_second", "seconds"] }
}

/// A network with the images that it is judged by.
public struct Validation: Sendable {
  package var network: Network
  package var graph: Graph
  package var dataset: any ImageDataset
  package var transform: ImageTransform
  package var threads: Int
  package var loaderThreads: Int
  package var isStrict: Bool
  /// The network's class of each class of the data set, where they are numbered differently.
  package var classMap: [Int]?

  package init(
    network: Network, graph: Graph, data: TrainingData, configuration: TrainingConfiguration, classMap: [Int]? = nil
  ) {
    self.classMap = classMap
    self.network = network
    self.graph = graph
    dataset = data.validation
    transform = data.transform
    threads = configuration.computeThreads
    loaderThreads = configuration.loaderThreads
    isStrict = configuration.strict
  }
}
