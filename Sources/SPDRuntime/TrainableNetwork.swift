import CSPDModule

/// A network that `spdc compile --train` turned into C, linked into this program or loaded from a library.
///
///     let network = try TrainableNetwork(module: resnet18_spd_train_module())
///     let trainer = try network.trainer(threads: 2)
///     try trainer.load(ParameterFile(mapping: "resnet18_spd.spdw"))
///     let losses = try trainer.step(images, .labels(labels), Update(learningRate: 0.1, momentum: 0.9))
public final class TrainableNetwork: @unchecked Sendable {
  public let name: String
  /// Shape of the input, N×C×H×W.
  public let inputShape: [Int]
  public let classes: Int
  public let graphHash: UInt64
  /// Number of parallel loops of the forward and backward passes, and of updates among them.
  public let stepCount: Int
  /// Number of floats of each array of the state: values, gradients, momentum and so on.
  public let stateCount: Int
  /// Maximum number of boxes in a batch for a detector; number of elements of a batch's result for a loss of its own.
  public let maxTargets: Int
  /// Number of levels of a YOLOv5 loss; 0 for other losses.
  public let levels: Int
  /// Whether a step updates each parameter as soon as its gradient is ready: then gradients cannot be inspected,
  /// clipped or accumulated.
  public let updatesInBackward: Bool
  /// Parameters in state-dict order.
  public let parameters: [TrainedParameter]
  let module: spdc_trainer_module
  let interface: ModuleInterface

  public var inputCount: Int { inputShape.reduce(1, *) }

  /// A network that is linked into this program: the result of its function `<prefix>_module()`.
  public convenience init(module: UnsafeRawPointer) throws {
    try self.init(.linked(module))
  }

  /// A network in a shared library.
  ///
  /// - Parameter prefix: the prefix of its symbols, such as `resnet18_spd_train`.
  public convenience init(library path: String, prefix: String) throws {
    try self.init(.library(path, prefix: prefix))
  }

  private init(_ location: ModuleLocation) throws {
    module = try location.load(as: spdc_trainer_module.self, version: SPDC_TRAINER_ABI_VERSION)
    name = String(cString: module.name)
    inputShape = [module.batch, module.channels, module.height, module.width].map(Int.init)
    classes = Int(module.classes)
    graphHash = module.graph_hash
    stepCount = Int(module.steps)
    stateCount = Int(module.state_count)
    maxTargets = Int(module.max_targets)
    levels = Int(module.levels)
    updatesInBackward = module.updates_in_backward != 0
    parameters = (0..<Int(module.parameters)).map { [module] in TrainedParameter(module.parameter_table[$0]) }
    interface = ModuleInterface(
      name: name, arenaBytes: Int(module.arena_bytes), scratchBytes: Int(module.scratch_bytes),
      grantedThreads: module.threads, statusText: module.status)
  }

  /// Size of the arena in bytes for a number of threads.
  public func arenaBytes(threads: Int) -> Int { interface.arenaBytes(threads: threads) }

  /// The state of a training run and the memory for its steps.
  ///
  /// - Parameters:
  ///   - threads: number of threads of each step.
  ///   - rule: determines the arrays that the optimiser needs.
  ///   - averages: keep an EMA of the values.
  ///   - accumulates: allow accumulating the gradients of several batches.
  /// - Throws: `RuntimeError.threads` if the generated code cannot get that many.
  public func trainer(
    threads: Int, rule: Update.Rule = .sgd, averages: Bool = false, accumulates: Bool = false
  ) throws -> Trainer {
    try Trainer(network: self, threads: threads, rule: rule, averages: averages, accumulates: accumulates)
  }
}

/// A parameter or running statistic of a network that trains.
public struct TrainedParameter: Sendable, Equatable {
  /// PyTorch's state-dict key.
  public let name: String
  /// PyTorch's shape; empty for a scalar.
  public let shape: [Int]
  /// Its range in each array of the state, in floats.
  public let range: Range<Int>
  public let group: Group

  /// Recipes differ in which of them decay.
  public enum Group: Int, Sendable, CaseIterable {
    case constant = -1
    case weight, bias, normalisation
  }

  init(_ parameter: spdc_parameter) {
    name = String(cString: parameter.name)
    let d = parameter.dimensions
    shape = Array([d.0, d.1, d.2, d.3].map(Int.init).prefix(Int(parameter.rank)))
    range = Int(parameter.offset)..<Int(parameter.offset + parameter.count)
    group = Group(rawValue: Int(parameter.group)) ?? .constant
  }
}
