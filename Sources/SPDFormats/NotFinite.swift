/// Counts values that are NaN or infinite, and records the first.
package struct NotFinite: Sendable, Equatable {
  package private(set) var count = 0
  package private(set) var total = 0
  package private(set) var first: (index: Int, value: Float)?

  package static func == (a: Self, b: Self) -> Bool {
    a.count == b.count && a.total == b.total && a.first?.index == b.first?.index
  }

  package init(_ values: [Float]) { self.init(values[...]) }

  package init(_ values: ArraySlice<Float>) {
    for value in values {
      if !value.isFinite {
        if first == nil { first = (total, value) }
        count += 1
      }
      total += 1
    }
  }

  package static func text(_ value: Float) -> String { value.isNaN ? "NaN" : value < 0 ? "−infinity" : "infinity" }
}
