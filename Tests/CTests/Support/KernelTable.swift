import SPD
import SPDCompiler
import Testing

/// A kernel, and the shapes that one C program computes with it: a network of small parts side by side.
struct KernelTable: Sendable, CustomTestStringConvertible {
  /// Name of the network.
  var name: String
  /// Channels of the network's image of 12×20 pixels.
  var channels = 3
  var mode = Mode.inference
  /// Passes that would leave the kernel nothing to do.
  var disabled: [String] = []
  /// What computes each row, all of them, beside whatever makes its input.
  var kernels: [@Sendable (Kernel) -> Bool]
  var rows: [Row]

  init(
    name: String, channels: Int = 3, mode: Mode = .inference, disabled: [String] = [],
    kernels: [@Sendable (Kernel) -> Bool], rows: [Row]
  ) {
    (self.name, self.channels, self.mode, self.disabled) = (name, channels, mode, disabled)
    (self.kernels, self.rows) = (kernels, rows)
  }

  /// - Parameter templates: names of the kernels' templates.
  init(
    name: String, channels: Int = 3, mode: Mode = .inference, disabled: [String] = [], _ templates: String...,
    rows: [Row]
  ) {
    self.init(
      name: name, channels: channels, mode: mode, disabled: disabled,
      kernels: templates.map { template in { $0.template == template } }, rows: rows)
  }

  /// A layer and the tensor that it reads: `channels` × `size`, made of the image by an average and a 1×1 convolution, or the
  /// image itself.
  struct Row: @unchecked Sendable {  // Layers are values.
    var name: String
    var channels: Int?
    var size: Size2D
    var body: (Tensor) -> Tensor

    init(
      _ name: String, _ channels: Int?, _ size: Size2D, _ body: @escaping (Tensor) -> Tensor
    ) {
      (self.name, self.channels, self.size, self.body) = (name, channels, size, body)
    }

    init(_ name: String, _ channels: Int?, _ size: Size2D, _ layers: any Layer...) {
      self.init(name, channels, size) { x in Sequential(layers).forward(x) }
    }
  }

  static let size = Size2D(12, 20)
  static let classes = 5

  var testDescription: String { name }
  var sample: Sample { Sample(name: name, batch: 2) }
  var variant: Variant { Variant(target: Variant.best.target, disabled: disabled, mode: mode) }

  /// Inference returns each row; training, for each row, what a classifier makes of it.
  var model: Model {
    let (rows, mode) = (rows, mode)
    return Model(name, input: .image(channels, Self.size.height, Self.size.width), classes: Self.classes) {
      image, classes -> [Tensor] in
      // Before a normalisation, the gradient of a bias is nothing but rounding.
      let results = rows.map { row in row.result(image, bias: mode == .inference) }
      guard mode == .training else { return results }
      let scores = zip(rows, results).map { row, x in
        Sequential(SiLU(), GlobalAveragePool(), Flatten(), Linear(classes)).named(row.name + ".scores")(x)
      }
      return [scores.dropFirst().reduce(scores[0]) { $0 + $1 }]
    }
  }

  /// The variant's options, with candidates that are one of the kernels for the convolutions that have some, in turn.
  func options(_ variant: Variant) throws -> Pipeline.Options {
    var options = variant.options
    for (index, problem) in try sample.problems(variant).enumerated() {
      let suited = problem.candidates.filter { kernel in kernels.contains { $0(kernel) } }
      if !suited.isEmpty { options.kernels.learned[problem.key] = suited[index % suited.count] }
    }
    return options
  }

  /// Rows to which no step with one of the kernels belongs.
  func rowsWithoutKernels(_ plan: Plan) -> [String] {
    rows.indices.filter { index in
      let steps = plan.steps.filter { step in belongs(step, to: index, in: plan.graph) }
      return !kernels.allSatisfy { isKernel in steps.contains { isKernel($0.kernel) } }
    }
    .map { rows[$0].name }
  }

  private func belongs(_ step: Plan.Step, to row: Int, in graph: Graph) -> Bool {
    if case .store(let output) = step.kernel { return output == row }
    guard let node = step.node else { return false }
    return graph[node].layer == rows[row].name || graph[node].layer.hasPrefix(rows[row].name + ".")
  }
}

extension KernelTable.Row {
  fileprivate func result(_ image: Tensor, bias: Bool) -> Tensor {
    guard let channels else { return scope(image) }
    let cell = Size2D(KernelTable.size.height / size.height, KernelTable.size.width / size.width)
    precondition(
      Size2D(size.height * cell.height, size.width * cell.width) == KernelTable.size,
      "\(name): the image is no multiple of \(size)")
    let small = cell == 1 ? image : image.through(AveragePool(cell))
    return scope(small.through(Conv2D(channels, kernel: 1, bias: bias)))
  }

  private var scope: Scope { Scope(name: name, body: body) }

  /// Gives the nodes of a row its name.
  private struct Scope: Layer {
    var site: Site
    var body: (Tensor) -> Tensor

    init(name: String, body: @escaping (Tensor) -> Tensor, file: String = #fileID, line: Int = #line) {
      site = Site(file, line, name: name)
      self.body = body
    }

    func forward(_ x: Tensor) -> Tensor { body(x) }
  }
}
