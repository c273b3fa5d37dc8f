import SPDRuntime

/// The parameters of the first layers, which keep their values. Running statistics still move, as in YOLOv5.
struct FrozenParameters {
  private var values: [(range: Range<Int>, values: [Float])] = []

  /// - Parameter layers: number of leading layers, whose parameters' names begin with `model.0.` and so on; nil: none.
  init(_ layers: Int?, _ trainer: Trainer) {
    guard let layers, let floats = trainer[.values] else { return }
    let prefixes = (0..<layers).map { "model.\($0)." }
    values = trainer.network.parameters
      .filter { parameter in parameter.group != .constant && prefixes.contains { parameter.name.hasPrefix($0) } }
      .map { ($0.range, Array(floats[$0.range])) }
  }

  var isEmpty: Bool { values.isEmpty }

  /// Undoes the last update of these parameters.
  func restore(_ trainer: Trainer) {
    for array in [Trainer.Array.values, .average] {
      guard let floats = trainer[array] else { continue }
      for (range, values) in values {
        for (index, value) in zip(range, values) { floats[index] = value }
      }
    }
  }
}
