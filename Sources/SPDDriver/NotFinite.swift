import SPDFormats
import SPD

/// Thrown when a network's output contains NaN or infinity.
package struct OutputNotFinite: FailureConvertible, CustomStringConvertible {
  package var description: String
  package var failure: Failure { Failure(.data, description) }

  /// Checks that a network's outputs are finite.
  ///
  /// - Parameters:
  ///   - values: all outputs, concatenated.
  ///   - shapes: shape of each output.
  ///   - network: name of the network, for the message.
  /// - Throws: `OutputNotFinite` naming the output and the number of its values that are not finite.
  package static func check(_ values: [Float], _ shapes: [[Int]], of network: String) throws {
    var rest = values[...]
    var parts: [String] = []
    for (index, shape) in shapes.enumerated() {
      let found = NotFinite(rest.prefix(shape.reduce(1, *)))
      rest = rest.dropFirst(found.total)
      guard let first = found.first else { continue }
      parts.append(
        (shapes.count > 1 ? "output \(index): " : "")
          + "\(grouped(found.count)) of \(grouped(found.total)) values, the first "
          + "\(NotFinite.text(first.value)) at \(first.index)")
    }
    guard !parts.isEmpty else { return }
    throw OutputNotFinite(
      description:
        "\(network): output is not finite (\(parts.joined(separator: "; "))): the weights or the input contain "
        + "such numbers, or a sum overflows")
  }
}

extension Weights {
  /// Returns the parameters that contain NaN or infinity, each with the index of its first such value.
  func notFinite(in graph: Graph) -> [String] {
    graph.parameters.compactMap { parameter in
      guard let tensor = tensors?[parameter.name], let first = NotFinite(tensor.values).first else { return nil }
      var rest = first.index
      let place = tensor.shape.reversed().map { extent -> Int in
        defer { rest /= max(1, extent) }
        return rest % max(1, extent)
      }
      let index = place.reversed().map(String.init).joined(separator: ", ")
      return "\(parameter.name)[\(index)] is \(NotFinite.text(first.value))"
    }
  }
}
