/// A network, declared once for every input size, batch and number of classes.
///
///     public let small = Model("small", input: .image(3, 64, 64), classes: 10) { image, classes in
///       image.through(
///         Conv(16, kernel: 3), SpaceToDepth(), Conv(32, kernel: 3),
///         GlobalAveragePool(), Flatten(), Linear(classes))
///     }
///
/// The same line is a global constant in a library and a complete script for `spdc`.
public struct Model: Sendable {
  public let name: String
  /// Batch 1, as declared.
  public let input: Shape
  /// As declared; a command may ask for another number.
  public let classes: Int
  /// Names of the classes by index, if the model comes with any.
  public let classNames: [String]?
  private let scope: String?
  private let loss: Loss?
  private let body: @Sendable (Tensor, Int) -> [Tensor]

  /// - Parameters:
  ///   - name: letters, digits, `-` and `_`; generated symbols start with it.
  ///   - input: the image's channels, height and width unless a command asks for another size.
  ///   - classes: handed to `body`, unless a command asks for another number.
  ///   - scope: what parameter names start with; nothing by default.
  ///   - loss: what training minimises, if it is not the usual loss of classes or boxes.
  ///   - body: from the image to the result.
  public init(
    _ name: String, input: Input, classes: Int = 1, classNames: [String]? = nil, scope: String? = nil,
    loss: Loss? = nil, body: @escaping @Sendable (_ image: Tensor, _ classes: Int) -> Tensor
  ) {
    self.init(name, input: input, classes: classes, classNames: classNames, scope: scope, loss: loss) { [body($0, $1)] }
  }

  /// A network with several results, which are returned one after the other.
  public init(
    _ name: String, input: Input, classes: Int = 1, classNames: [String]? = nil, scope: String? = nil,
    loss: Loss? = nil, body: @escaping @Sendable (_ image: Tensor, _ classes: Int) -> [Tensor]
  ) {
    self.name = name
    self.input = input.shape
    self.classes = classes
    self.classNames = classNames
    self.scope = scope
    self.loss = loss
    self.body = body
    TraceRequest.answer(for: self)
  }

  /// Shape of a model's input.
  public struct Input: Sendable {
    let shape: Shape

    /// Channels, height and width; values are 0…1 unless the model's weights were trained on others.
    public static func image(_ channels: Int, _ height: Int, _ width: Int) -> Input {
      Input(shape: Shape(batch: 1, channels: channels, height: height, width: width))
    }
  }

  /// Runs the declaration for a size, batch and number of classes; nil means as declared.
  ///
  /// - Throws: `TraceError` naming the layer, its line, the shapes and, where one is found, a size that works.
  public func graph(size: Size2D? = nil, batch: Int = 1, classes: Int? = nil) throws(TraceError) -> Graph {
    let size = size ?? input.size
    do {
      return try trace(size: size, batch: batch, classes: classes)
    } catch {
      throw advised(error, size: size, classes: classes)
    }
  }

  private func trace(size: Size2D, batch: Int, classes: Int?) throws(TraceError) -> Graph {
    let shape = Shape(batch: batch, channels: input.channels, height: size.height, width: size.width)
    let classes = classes ?? self.classes
    func refusal(_ message: String) -> TraceError {
      let file = name.isModelName ? name : "model"
      return TraceError(message: message, layer: "", source: SourceLocation(fileID: file, line: 0))
    }
    guard name.isModelName else {
      throw refusal("the model's name \(name.quotedForMessage) is not made of letters, digits, - and _")
    }
    if let macro = name.macroOfC {
      throw refusal(
        "a model called \(name) would define C's own macro \(macro): give it another name, such as \(name)-net")
    }
    if let scope, !scope.isLayerName { throw refusal("the scope \(scope.quotedForMessage) \(Graph.nameRule)") }
    guard batch >= 1, size.height >= 1, size.width >= 1, classes >= 1 else {
      throw refusal(
        "size, batch and classes must be positive, but they are \(size.height)×\(size.width), \(batch) and \(classes)")
    }
    do {
      try shape.checkLimits()
      try Shape(batch: 1, channels: classes, height: 1, width: 1).checkLimits()
    } catch {
      throw refusal(
        "the input would be \(batch)×\(shape) for \(classes) classes, but there are at most \(GraphLimits.extent) along each "
          + "axis, \(GraphLimits.pixels) pixels (batch × height × width), \(GraphLimits.values) values and "
          + "\(GraphLimits.extent) classes")
    }
    let builder = GraphBuilder(name: name, input: shape, classes: classes, scope: scope)
    let results = body(Tensor(builder: builder, id: 0, shape: shape), classes)
    return try builder.finish(results, loss: loss?.expression)
  }

  /// Looks for the nearest heights and widths that work, and says so.
  private func advised(_ error: TraceError, size: Size2D, classes: Int?) -> TraceError {
    let plausible = 1...GraphLimits.extent
    guard plausible.contains(size.height) || size.height == 0, plausible.contains(size.width) || size.width == 0 else {
      return error
    }
    let works = { (height: Int, width: Int) in
      (try? self.trace(size: Size2D(height, width), batch: 1, classes: classes)) != nil
    }
    // A size that works holds one axis still while the other is searched.
    let known = [input.size] + [64, 128, 256, 32, 512].map { Size2D($0) }
    guard let still = known.first(where: { works($0.height, $0.width) }) else { return error }
    let heights = nearest(size.height) { works($0, still.width) }
    let widths = nearest(size.width) { works(still.height, $0) }
    var remedies: [String] = []
    for (axis, wanted, found) in [("height", size.height, heights), ("width", size.width, widths)]
    where !found.isEmpty && !found.contains(wanted) {
      let list = found.map(String.init).joined(separator: ", ")
      remedies.append("Input sizes whose \(axis) works nearest to \(wanted): \(list).")
    }
    var advised = error
    if !remedies.isEmpty { advised.remedy = remedies.joined(separator: "\n  ") }
    return advised
  }

  /// The nearest working values on both sides of `value`, or `value` itself.
  private func nearest(_ value: Int, works: (Int) -> Bool) -> [Int] {
    if works(value) { return [value] }
    let below = (1...64).lazy.map { value - $0 }.first { $0 > 0 && works($0) }
    let above = (1...64).lazy.map { value + $0 }.first { works($0) }
    return [below, above].compactMap { $0 }
  }
}
