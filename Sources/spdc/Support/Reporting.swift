import ArgumentParser
import Foundation
import SPDDriver

/// Runs a command's body. Errors become one message on standard error and an exit code.
///
/// - Parameter outlivesReader: the command goes on after the reader of its messages has closed the pipe; others end, as
///   programs before `head` do.
func reporting(outlivesReader: Bool = false, _ body: () async throws -> Void) async throws {
  if outlivesReader { signal(SIGPIPE, SIG_IGN) }
  Interruption.install()
  Messages.handle(with: ConsoleMessages())
  do {
    try await body()
  } catch let exit as ExitCode {
    throw exit
  } catch let error as CleanExit {
    throw error
  } catch let error as ValidationError {
    throw error
  } catch {
    let failure = Failure(error)
    Console.error(failure.message)
    throw ExitCode(failure.code.rawValue)
  }
}
