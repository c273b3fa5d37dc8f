import ArgumentParser
import Foundation
import SPDData
import SPDDriver
import SPDFormats
import SPDVision

/// The images named by the arguments: files and the contents of folders, in the order of the arguments.
struct ImageInputs {
  struct Entry {
    var path: String
    /// The file's path relative to the argument.
    var name: String
    /// Why the argument names no image, if known before reading.
    var failure: Failure?

    /// The path for JSON: unchanged if it is UTF-8, else escaped.
    var text: String { String(validating: FileName.bytes(path), as: UTF8.self) ?? printable(path) }
  }

  private(set) var entries: [Entry] = []

  init(_ arguments: [String]) {
    for argument in arguments { add(argument) }
  }

  private mutating func add(_ argument: String) {
    switch PathKind(of: argument) {
    case nil: fail(argument, .noInput, "no such image")
    case .folder:
      // A trailing slash would otherwise show in every message.
      let folder = argument.utf8.count > 1 && argument.hasSuffix("/") ? String(argument.dropLast()) : argument
      do {
        let paths = try ImageFiles.paths(in: folder, warn: Console.warning)
        if paths.isEmpty { fail(argument, .noInput, "the folder contains no images") }
        entries += paths.map { Entry(path: $0, name: String($0.dropFirst(folder.count).drop { $0 == "/" })) }
      } catch {
        entries.append(Entry(path: argument, name: argument, failure: Failure(.noInput, error.description)))
      }
    default: entries.append(Entry(path: argument, name: String(argument.split(separator: "/").last ?? "")))
    }
  }

  private mutating func fail(_ path: String, _ code: Failure.Code, _ problem: String) {
    entries.append(Entry(path: path, name: path, failure: Failure(code, printable("\(path): \(problem)"))))
  }

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
    show: (Answer) -> Void
  ) async throws {
    let progress = Progress(title, total: entries.count)
    var answers: [Answer] = []
    var codes: [Failure.Code] = []
    do {
      for (index, entry) in entries.enumerated() {
        do {
          if let failure = entry.failure { throw failure }
          let answer = try await answer(entry, try ImageFiles.read(entry.path, warn: Console.warning))
          answers.append(answer)
          progress.finish()
          if !json { show(answer) }
        } catch let error where entry.failure != nil || error is DataError || error is OutputNotFinite {
          var failure = Failure(error)
          if error is OutputNotFinite { failure.message = "\(printable(entry.path)): \(failure.message)" }
          answers.append(failed(entry, failure.message))
          codes.append(failure.code)
          progress.finish()
          Console.error(failure.message)
        }
        progress.update(index + 1)
      }
    } catch {
      progress.finish()
      // Print the results so far even if the disk or the compiler fails.
      if json, !answers.isEmpty { try Console.print(json: answers) }
      throw error
    }
    progress.finish()
    if json { try Console.print(json: answers) }
    guard !codes.isEmpty else { return }
    if entries.count > 1 { Console.error("\(codes.count) of \(entries.count) images have no result") }
    throw ExitCode((codes.allSatisfy { $0 == .noInput } ? Failure.Code.noInput : .data).rawValue)
  }
}
