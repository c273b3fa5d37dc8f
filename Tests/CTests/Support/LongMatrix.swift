import TestSupport
import Testing

extension Trait where Self == ConditionTrait {
  /// Whole networks, or combinations that one network with every operation stands for in `make test`.
  static var longMatrix: Self { .enabled(if: testsLongMatrix, "the long matrix: make test-all") }
}
