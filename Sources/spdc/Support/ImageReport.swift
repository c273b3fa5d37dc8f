import ArgumentParser
import SPDDriver

/// Prints the results of images and counts those without one for the exit code.
struct ImageReport<Answer: Encodable> {
  private let progress: Progress
  private let json: Bool
  private let show: (Answer) -> Void
  private var answers: [Answer] = []
  /// Number of images and frames with a result.
  private var answered = 0
  private var codes: [Failure.Code] = []

  /// - Parameters:
  ///   - title: title of the progress line.
  ///   - total: number of files, for the progress line.
  ///   - json: prints one document at the end instead of showing each answer at once.
  init(_ title: String, total: Int, json: Bool, show: @escaping (Answer) -> Void) {
    (self.json, self.show) = (json, show)
    progress = Progress(title, total: total)
  }

  mutating func add(_ answer: Answer) {
    progress.finish()
    answered += 1
    if json { answers.append(answer) } else { show(answer) }
  }

  /// Reports an image without a result.
  ///
  /// - Parameter answer: its entry in the document.
  mutating func add(_ failure: Failure, _ answer: Answer) {
    progress.finish()
    if json { answers.append(answer) }
    codes.append(failure.code)
    Console.error(failure.message)
  }

  /// - Parameter done: number of files that are done.
  func update(_ done: Int) { progress.update(done) }

  /// Prints the results so far before an error that concerns all images, such as a full disk.
  func stop() throws {
    progress.finish()
    if json, !answers.isEmpty { try Console.print(json: answers) }
  }

  /// - Throws: the exit code if an image has no result: that of all failures if they have the same, else `.data`.
  func finish() throws {
    progress.finish()
    if json { try Console.print(json: answers) }
    guard let first = codes.first else { return }
    let total = answered + codes.count
    if total > 1 { Console.error("\(codes.count) of \(total) images have no result") }
    throw ExitCode((codes.allSatisfy { $0 == first } ? first : .data).rawValue)
  }
}
