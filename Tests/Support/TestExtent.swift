import Foundation

/// Whether the long matrix is tested too: whole networks × compilers × targets × sanitizers × passes, before a release.
///
/// `make test-all` says so; `make test` has one network with every operation in their place. It shows what it skips.
public let testsLongMatrix = ProcessInfo.processInfo.environment["SPDC_TEST_ALL"].map { !$0.isEmpty } ?? false
