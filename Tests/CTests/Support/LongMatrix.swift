import TestSupport
import Testing

extension Trait where Self == ConditionTrait {
  /// Enables whole networks, or combinations that one network with every operation represents in `make test`.
  static var longMatrix: Self { .enabled(if: testsLongMatrix, "the long matrix: make test-all") }
}
