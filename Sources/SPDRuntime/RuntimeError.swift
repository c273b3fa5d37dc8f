/// An error while a generated network is loaded or run.
public enum RuntimeError: Error, Equatable, Sendable, CustomStringConvertible {
  case outOfMemory(bytes: Int)
  /// A file that cannot be opened, read, mapped or written, with the system's reason.
  case file(path: String, reason: String)
  /// A library that is not a module, or has another version.
  case notAModule(path: String, reason: String)
  /// A status that generated code returned, in its own words.
  case status(network: String, code: Int, text: String)
  case inputCount(network: String, expected: Int, shape: [Int], got: Int)
  case outputCount(network: String, expected: Int, got: Int)
  /// The code was compiled without OpenMP, or the system grants fewer threads.
  case threads(network: String, asked: Int, granted: Int)
  case parameter(name: String, reason: String)
  case labelCount(network: String, expected: Int, got: Int)
  /// A detector's target that does not have six numbers.
  case targetRow(network: String, got: Int)

  /// A network whose steps cannot continue with the state of another one.
  case otherSteps(network: String)

  public var description: String {
    switch self {
    case .outOfMemory(let bytes):
      return "no memory for a buffer of \(bytes) bytes"
    case .file(let path, let reason):
      return "\(path): \(reason)"
    case .notAModule(let path, let reason):
      return "\(path) is no network that spdc compiled: \(reason)"
    case .status(let network, let code, let text):
      return "\(network): \(text) (status \(code))"
    case .inputCount(let network, let expected, let shape, let got):
      return "\(network) takes \(expected) values (\(shape.map(String.init).joined(separator: "×"))), not \(got)"
    case .outputCount(let network, let expected, let got):
      return "\(network) gives \(expected) values, but the output has room for \(got)"
    case .threads(let network, let asked, let granted):
      return "\(network) was asked to run on \(asked) threads, but gets \(granted)"
        + (granted == 1 ? ": it was compiled without OpenMP, or OpenMP is limited" : "")
    case .parameter(let name, let reason):
      return "parameter \(name): \(reason)"
    case .labelCount(let network, let expected, let got):
      return "\(network) trains on \(expected) images at a time, but there are \(got) labels"
    case .targetRow(let network, let got):
      return "\(network): a target is image, class, centre x, centre y, width, height, but one has \(got) numbers"
    case .otherSteps(let network):
      return "\(network) was compiled with other parameters or updates; compile both networks with the same options"
    }
  }
}
