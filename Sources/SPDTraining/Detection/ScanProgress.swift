import SPDDriver

/// A progress line that begins once the number of images is known. A scan reports from one thread at a time.
package final class ScanProgress: @unchecked Sendable {
  private let title: String
  private var line: SPDDriver.Progress?

  package init(_ title: String) { self.title = title }

  package func update(_ done: Int, of total: Int) {
    let line = line ?? SPDDriver.Progress(title, total: total)
    self.line = line
    line.update(done)
  }

  package func finish() { line?.finish() }
}
