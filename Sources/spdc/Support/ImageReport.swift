import ArgumentParser
import SPDData
import SPDDriver
import SPDTraining
import SPDVision

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

extension ImageInputs {
  /// Runs each image. An image that cannot be read, or whose output is not finite, is reported and skipped.
  ///
  /// - Parameters:
  ///   - title: title of the progress line.
  ///   - json: prints one document at the end instead of showing each answer at once.
  ///   - answer: runs an image.
  ///   - failed: makes the document's entry for an image without a result.
  /// - Throws: the exit code if images were skipped; errors of `answer` that concern all images.
  func run<Answer: Encodable>(
    _ title: String, json: Bool, answer: (Entry, Image) async throws -> Answer, failed: (Entry, String) -> Answer,
    show: @escaping (Answer) -> Void
  ) async throws {
    var report = ImageReport(title, total: entries.count, json: json, show: show)
    do {
      for (index, entry) in entries.enumerated() {
        do {
          if let failure = entry.failure { throw failure }
          report.add(try await answer(entry, try ImageFiles.read(entry.path, warn: Messages.warning)))
        } catch let error where entry.failure != nil || error is DataError || error is OutputNotFinite {
          let failure = entry.failure(error)
          report.add(failure, failed(entry, failure.message))
        }
        report.update(index + 1)
      }
    } catch {
      try report.stop()
      throw error
    }
    try report.finish()
  }
}
