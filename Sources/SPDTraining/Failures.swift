import SPDData
import SPDDriver

extension DataError: FailureConvertible {
  package var failure: Failure { isOutput ? Failure(.cannotWrite, description) : .reading(path, description) }
}

extension ConfigurationError: FailureConvertible {
  package var failure: Failure { Failure(source == .commandLine ? .usage : .data, description) }
}
