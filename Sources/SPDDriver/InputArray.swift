import SPDFormats

/// Reads an array that can be a model's input: N×C×H×W, not empty.
///
/// - Parameter model: model file, graph or name of a shipped model. It is loaded only to tell whether the array is N×H×W×C.
/// - Throws: `Failure` with `.data`, which says how to correct the array.
package func readInput(_ path: String, for model: String) async throws -> HostTensor {
  let array = try readNPY(path)
  let shape = array.shape
  guard shape.count == 4, !array.values.isEmpty else {
    let remedy =
      switch shape.count {
      case 3 where shape[2] <= 4 && shape[0] > 4: ": transpose H×W×C with numpy's a.transpose(2, 0, 1)[None]"
      case 3: ": give a single image its batch with numpy's a[None]"
      default: ""
      }
    throw Failure(.data, "\(path) has the shape \(crossed(shape)); an input is N×C×H×W\(remedy)")
  }
  // More channels than columns suggests a channels-last image.
  if shape[3] < shape[1], let channels = try? await LoadedModel.load(model).graph().input.shape.channels,
    shape[3] == channels, shape[1] != channels
  {
    throw Failure(
      .data,
      "\(path) has the shape \(crossed(shape)), which looks like N×H×W×C; an input is N×C×H×W: transpose it with numpy's "
        + "a.transpose(0, 3, 1, 2)")
  }
  return array
}

/// Returns the path of one of several outputs: `y.npy` becomes `y-0.npy`, `y-1.npy`, ….
package func numbered(_ path: String, _ index: Int) -> String {
  path.hasSuffix(".npy") ? String(path.dropLast(4)) + "-\(index).npy" : path + "-\(index)"
}

/// Formats a shape for messages: `1×3×64×64`.
package func crossed(_ shape: [Int]) -> String {
  shape.isEmpty ? "of a single number" : shape.map(String.init).joined(separator: "×")
}
