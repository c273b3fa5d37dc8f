import SPDData
import SPDDriver

extension DataError: FailureConvertible { package var failure: Failure { .reading(path, description) } }

extension ConfigurationError: FailureConvertible {
  package var failure: Failure { Failure(source == .commandLine ? .usage : .data, description) }
}
