import ArgumentParser
import Foundation
import SPD
import SPDCompiler
import SPDData
import SPDFormats
import SPDONNX
import SPDRuntime
import SPDTemplates
import SPDTraining
import SPDVision

/// A failure that the user can do something about, with the exit code that scripts see (those of sysexits.h).
struct Failure: Error, CustomStringConvertible {
  var code: Code
  var message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  var description: String { message }

  enum Code: Int32 {
    /// A comparison came out wrong (verify) or could not be concluded.
    case different = 1
    /// A training whose numbers are no longer finite, or a sweep none of whose trials came to an end.
    case diverged = 2
    /// An option or argument makes no sense.
    case usage = 64
    /// A model, weight file, array or image is wrong.
    case data = 65
    /// A file that should be read is not there.
    case noInput = 66
    /// A compiler or OpenMP is missing or does not work.
    case unavailable = 69
    /// A fault of spdc itself.
    case software = 70
    /// Something cannot be written.
    case cannotWrite = 73
  }
}

/// Runs a command's body; errors become one message on standard error and a meaningful exit code.
func reporting(_ body: () async throws -> Void) async throws {
  Interruption.install()
  do {
    try await body()
  } catch let exit as ExitCode {
    throw exit
  } catch let error as CleanExit {
    throw error
  } catch let error as ValidationError {
    throw error
  } catch {
    let failure = classify(error)
    Console.error(failure.message)
    throw ExitCode(failure.code.rawValue)
  }
}

/// Any error as a message and an exit code.
func classify(_ error: any Error) -> Failure {
  switch error {
  case let failure as Failure: failure
  case let error as TraceError: Failure(.data, error.description)
  case let error as ArenaTooSmall: Failure(.usage, error.description)
  case let error as GraphError: Failure(.data, error.description)
  case let error as KernelError: Failure(.data, error.description)
  case let error as InterpreterError: Failure(.data, error.description)
  case let error as FormatError: Failure(isMissing(error.path) ? .noInput : .data, error.description)
  case let error as ImageError: Failure(isMissing(error.path) ? .noInput : .data, error.description)
  case let error as DataError: Failure(isMissing(error.path) ? .noInput : .data, error.description)
  case let error as ConfigurationError:
    Failure(error.source == .commandLine ? .usage : .data, error.description)
  case let error as ONNXExportError: Failure(.data, error.description)
  case let error as UnknownPass: Failure(.usage, error.description)
  case let error as TemplatesNotFound: Failure(.unavailable, error.description)
  case let error as TemplateError: Failure(.software, error.description)
  case let error as RuntimeError:
    switch error {
    case .file(let path, _): Failure(isMissing(path) ? .noInput : .data, error.description)
    case .threads, .outOfMemory: Failure(.unavailable, error.description)
    case .notAModule: Failure(.software, error.description)
    default: Failure(.data, error.description)
    }
  // Codes up to 511 are those of reading.
  case let error as CocoaError: Failure(error.code.rawValue < 512 ? .noInput : .cannotWrite, error.localizedDescription)
  default: Failure(.software, "\(error)")
  }
}

private func isMissing(_ path: String) -> Bool {
  switch PathKind(of: path) {
  case nil, .danglingLink: true
  default: false
  }
}
