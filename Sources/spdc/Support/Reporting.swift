import ArgumentParser
import SPDDriver

/// Runs a command's body. Errors become one message on standard error and an exit code.
func reporting(_ body: () async throws -> Void) async throws {
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
