import Foundation
import SPD
import SPDCompiler
import SPDFormats
import SPDONNX
import SPDReference
import SPDRuntime
import SPDTemplates
import SPDVision

/// An error with a message for the user and an exit code.
///
/// The raw value of the code is the exit code of the command, as in sysexits.h.
public struct Failure: Error, CustomStringConvertible, Sendable {
  public var code: Code
  public var message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }

  public enum Code: Int32, Sendable {
    /// A comparison failed, or a measurement was refused because its results are wrong.
    case different = 1
    /// The loss or a weight is not finite, or every trial of a sweep failed.
    case diverged = 2
    /// An option or argument is invalid.
    case usage = 64
    /// A model, weight file, array or image is invalid.
    case data = 65
    /// An input file does not exist.
    case noInput = 66
    /// A required resource is missing: a working compiler, OpenMP, memory.
    case unavailable = 69
    /// An internal error.
    case software = 70
    /// An output cannot be written.
    case cannotWrite = 73
  }
}

/// An error that converts to a `Failure`.
package protocol FailureConvertible: Error {
  var failure: Failure { get }
}

extension Failure {
  /// Converts any error; an unknown one becomes an internal error.
  public init(_ error: any Error) {
    self =
      switch error {
      case let failure as Failure: failure
      case let error as any FailureConvertible: error.failure
      // Codes below 512 are read errors.
      case let error as CocoaError:
        Failure(error.code.rawValue < 512 ? .noInput : .cannotWrite, error.localizedDescription)
      default: Failure(.software, "\(error)")
      }
  }

  /// Returns a failure about a file's content: `.noInput` if the file does not exist, else `.data`.
  package static func reading(_ path: String, _ message: String) -> Failure {
    // The path may end in the number of a line.
    let file = path.replacing(#/:[0-9]+$/#, with: "")
    return switch PathKind(of: path) ?? PathKind(of: file) {
    case nil, .danglingLink: Failure(.noInput, message)
    default: Failure(.data, message)
    }
  }
}

extension TraceError: FailureConvertible { package var failure: Failure { Failure(.data, description) } }
extension GraphError: FailureConvertible { package var failure: Failure { Failure(.data, description) } }
extension KernelError: FailureConvertible { package var failure: Failure { Failure(.data, description) } }
extension InterpreterError: FailureConvertible { package var failure: Failure { Failure(.data, description) } }
extension ONNXExportError: FailureConvertible { package var failure: Failure { Failure(.data, description) } }
extension UnknownPass: FailureConvertible { package var failure: Failure { Failure(.usage, description) } }
extension TemplateError: FailureConvertible { package var failure: Failure { Failure(.software, description) } }
extension TemplatesNotFound: FailureConvertible { package var failure: Failure { Failure(.unavailable, description) } }
extension FormatError: FailureConvertible { package var failure: Failure { .reading(path, description) } }
extension ImageError: FailureConvertible { package var failure: Failure { .reading(path, description) } }

extension RuntimeError: FailureConvertible {
  package var failure: Failure {
    switch self {
    case .file(let path, _): .reading(path, description)
    case .threads(let network, let asked, let granted):
      Failure(
        .unavailable,
        (try? Machine.threadBudget())?.limitation.map {
          "\(network): \(asked) threads were requested, but OpenMP granted \(granted): \($0)"
        } ?? description)
    case .outOfMemory: Failure(.unavailable, description)
    case .notAModule: Failure(.software, description)
    default: Failure(.data, description)
    }
  }
}
