import Foundation
import SPD
import SPDCompiler
import SPDFormats
import SPDONNX
import SPDReference
import SPDRuntime
import SPDTemplates
import SPDVision

/// A failure that the caller can do something about, with its kind.
///
/// The raw value of the kind is the exit code of the command, which follows sysexits.h.
public struct Failure: Error, CustomStringConvertible, Sendable {
  public var code: Code
  public var message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }

  public enum Code: Int32, Sendable {
    /// A comparison came out wrong (verify) or could not be concluded.
    case different = 1
    /// A training whose loss is no longer finite, or a sweep in which every trial failed.
    case diverged = 2
    /// An option or argument makes no sense.
    case usage = 64
    /// A model, weight file, array or image is wrong.
    case data = 65
    /// A file that should be read does not exist.
    case noInput = 66
    /// A compiler or OpenMP is missing or does not work.
    case unavailable = 69
    /// An internal error.
    case software = 70
    /// Something cannot be written.
    case cannotWrite = 73
  }
}

/// An error that knows what kind of failure it is.
package protocol FailureConvertible: Error {
  var failure: Failure { get }
}

extension Failure {
  /// Any error as a message and a kind; an internal error where nothing else is known.
  public init(_ error: any Error) {
    self =
      switch error {
      case let failure as Failure: failure
      case let error as any FailureConvertible: error.failure
      // Codes up to 511 are those of reading.
      case let error as CocoaError:
        Failure(error.code.rawValue < 512 ? .noInput : .cannotWrite, error.localizedDescription)
      default: Failure(.software, "\(error)")
      }
  }

  /// The kind of an error about a file's content: of no input where there is no such file.
  package static func reading(_ path: String, _ message: String) -> Failure {
    switch PathKind(of: path) {
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
          "\(network) was asked to run on \(asked) threads, but gets \(granted): \($0)"
        } ?? description)
    case .outOfMemory: Failure(.unavailable, description)
    case .notAModule: Failure(.software, description)
    default: Failure(.data, description)
    }
  }
}
