#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How OpenMP's threads wait for each other: awake for a moment, then asleep.
///
/// A run has some eighty barriers, often with 20 µs of work between them, so threads that sleep at each of them double the time
/// of a small network. Threads that only spin burn a core for 0.2 s after each run, and where another program takes their
/// core they wait out whole time slices of it at every barrier: with GNU's library, whose spinning never yields, a run of 4 ms
/// then takes 300. So each library is told to spin for little longer than a step and then to sleep.
enum WaitPolicy {
  /// Environment variables to set where the user has not decided.
  static func variables(besides environment: (String) -> String?) -> [(name: String, value: String)] {
    guard environment("OMP_WAIT_POLICY") == nil, environment("KMP_LIBRARY") == nil else { return [] }
    // LLVM's library yields while it spins, and counts in milliseconds; GNU's counts turns, a thousand of which are about 20 µs.
    return [("KMP_BLOCKTIME", "1"), ("GOMP_SPINCOUNT", "1000")].filter { environment($0.0) == nil }
  }

  /// Sets them, once. LLVM's library reads them before its first parallel region, GNU's when it is loaded: in a program that is
  /// linked with that one, only the user's environment counts.
  static let applied: Void = {
    for (name, value) in variables(besides: { getenv($0).map { String(cString: $0) } }) { setenv(name, value, 0) }
  }()
}
