/// Lets so many pass at a time; the others wait in the order in which they came.
package actor Turnstile {
  /// For compilers, which take memory and time: no more at a time than there are processors.
  package static let compilers = Turnstile(Machine.processors)

  private var free: Int
  private var waiting: [CheckedContinuation<Void, Never>] = []

  package init(_ count: Int) { free = max(1, count) }

  package func enter() async {
    if free > 0 { free -= 1 } else { await withCheckedContinuation { waiting.append($0) } }
  }

  package func leave() {
    if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
  }
}
