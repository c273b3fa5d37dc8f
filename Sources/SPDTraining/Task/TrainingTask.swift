import Foundation
import SPD
import SPDData
import SPDReport
import SPDRuntime
import SPDDriver

/// A training task: supported networks, supervision of a step, metrics, and sections of the report.
///
/// Steps, schedules, checkpoints, history and sweeps do not depend on the task.
public protocol TrainingTask: Sendable {
  /// The images of a run.
  associatedtype Data: RunData
  /// Delivers mini-batches.
  associatedtype Source: BatchSource
  /// The evaluation of a network on a validation set.
  associatedtype Evaluation: Sendable

  /// Metrics of each epoch, in the order of the columns of results.csv.
  static var metrics: [TrainingMetric] { get }
  /// Learning rates of each epoch's last step, by parameter group.
  static var learningRates: [LearningRateColumn] { get }
  /// The columns of a run's history: metrics, learning rates, `images_per_second` and `seconds`.
  static var columns: [String] { get }
  /// Name of the metric that selects the best checkpoint. Larger is better.
  static var bestMetric: String { get }

  /// Whether initial weights may be those of another network, of which every tensor that fits is taken.
  static var transfersWeights: Bool { get }

  /// Opens the images that a configuration names.
  ///
  /// - Parameter model: provides the input size if the configuration does not.
  func data(_ configuration: TrainingConfiguration, model: LoadedModel) async throws -> Data

  /// Starts to load the mini-batches of a run, or of one epoch if `followsValidation`.
  ///
  /// - Parameters:
  ///   - position: the first mini-batch to deliver.
  ///   - feedback: of the latest validation; empty before the first one.
  func source(
    _ data: Data, _ configuration: TrainingConfiguration, from position: BatchPosition, feedback: [Double]
  ) throws -> Source

  /// Whether the mini-batches of an epoch depend on the latest validation.
  func followsValidation(_ configuration: TrainingConfiguration) -> Bool
  /// Returns the numbers of an evaluation that `source` depends on, which checkpoints keep.
  func feedback(_ evaluation: Evaluation, _ configuration: TrainingConfiguration) -> [Double]

  /// Returns the input sizes of training; a module is compiled for each, and mini-batches have one of them.
  func trainingSizes(_ data: Data, _ configuration: TrainingConfiguration) -> [Size2D]

  /// Returns the input sizes of validation; a module is compiled for each.
  func validationSizes(_ data: Data, _ configuration: TrainingConfiguration) -> [Size2D]

  /// Returns the maximum number of boxes in a mini-batch; 0 for other targets.
  func maximumTargets(_ data: Data, _ configuration: TrainingConfiguration) -> Int

  /// Returns the initial values of a parameter, from those of PyTorch's default initialisation.
  func initialValues(_ drawn: [Float], of parameter: Parameter, in graph: Graph, _ data: Data) -> [Float]

  /// Checks that a network can be trained for this task on a data set.
  ///
  /// - Throws: `Failure` naming what does not match.
  func check(_ graph: Graph, for data: Data) throws

  /// Returns the targets of a mini-batch.
  func targets(of batch: Source.Batch, in graph: Graph, _ configuration: TrainingConfiguration) -> Targets

  /// Returns the training metrics of one step by name, as means over its images.
  ///
  /// - Parameter losses: the result of `Trainer.step`.
  func measured(_ losses: [Float], images: Int) -> [String: Double]

  /// Evaluates a network on the validation set.
  ///
  /// - Parameters:
  ///   - broken: records images that cannot be read.
  ///   - progress: called before each mini-batch with the number of images done; returns false to stop.
  /// - Returns: nil if `progress` stopped it.
  func evaluate(
    _ validation: Validation<Data>, _ parameters: ParameterFile, broken: inout BrokenImages, progress: (Int) -> Bool
  ) throws -> Evaluation?

  /// Returns the number of evaluated images; 0 if none could be read.
  func count(_ evaluation: Evaluation) -> Int
  /// Returns the seconds spent waiting for images.
  func waited(_ evaluation: Evaluation) -> Double
  /// Returns the validation metrics by name.
  func values(_ evaluation: Evaluation) -> [String: Double]
  /// Returns the task's sections of the report.
  func sections(_ evaluation: Evaluation, _ data: Data) throws -> [ReportSection]
}

/// A metric that is measured in each epoch.
public struct TrainingMetric: Sendable, Equatable {
  public enum Unit: Sendable { case loss, fraction }

  /// Column of results.csv and TensorBoard tag: `train/loss`, `val/top1`.
  public var name: String
  /// Display name: "top-1".
  public var title: String
  public var unit: Unit

  public init(_ name: String, _ title: String, _ unit: Unit) {
    self.name = name
    self.title = title
    self.unit = unit
  }

  public var isValidation: Bool { !name.hasPrefix("train/") }

  /// Formats a value with its name: `loss 0.5312`, `top-1 93.20 %`.
  public func text(_ value: Double) -> String { "\(title) \(valueText(value))" }

  public func valueText(_ value: Double) -> String {
    switch unit {
    case .loss: value.isFinite ? String(format: "%.4f", value) : "\(value)"
    case .fraction: String(format: "%.2f %%", value * 100)
    }
  }
}

/// A column of results.csv and TensorBoard tag with the learning rate of a parameter group.
public struct LearningRateColumn: Sendable {
  public var name: String
  public var group: TrainedParameter.Group

  public init(_ name: String, _ group: TrainedParameter.Group) {
    self.name = name
    self.group = group
  }
}

extension TrainingTask {
  public static var learningRates: [LearningRateColumn] { [LearningRateColumn("lr", .weight)] }
  public static var columns: [String] {
    learningRates.map(\.name) + metrics.map(\.name) + ["images_per_second", "seconds"]
  }
  public func followsValidation(_ configuration: TrainingConfiguration) -> Bool { false }
  public func feedback(_ evaluation: Evaluation, _ configuration: TrainingConfiguration) -> [Double] { [] }
  public func trainingSizes(_ data: Data, _ configuration: TrainingConfiguration) -> [Size2D] { [data.size] }
  public func validationSizes(_ data: Data, _ configuration: TrainingConfiguration) -> [Size2D] { [data.size] }
  public static var transfersWeights: Bool { false }
  public func maximumTargets(_ data: Data, _ configuration: TrainingConfiguration) -> Int { 0 }
  public func initialValues(_ drawn: [Float], of parameter: Parameter, in graph: Graph, _ data: Data) -> [Float] {
    drawn
  }
}

/// A network with its validation images.
public struct Validation<Data: RunData>: Sendable {
  package var networks: InferenceNetworks
  package var data: Data
  package var configuration: TrainingConfiguration
  package var threads: Int
  package var loaderThreads: Int
  package var isStrict: Bool
  /// The network's class by class of the data set; nil if they are equal.
  package var classMap: [Int]?

  package init(
    _ networks: InferenceNetworks, data: Data, configuration: TrainingConfiguration, classMap: [Int]? = nil
  ) {
    self.networks = networks
    self.data = data
    self.classMap = classMap
    self.configuration = configuration
    threads = configuration.computeThreads
    loaderThreads = configuration.loaderThreads
    isStrict = configuration.strict
  }
}
