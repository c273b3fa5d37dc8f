import ArgumentParser
import Foundation
import SPDData
import SPDDriver
import SPDFormats
import SPDVision

/// The images that arguments mean: files, and what lies in folders, in the order of the arguments.
struct ImageInputs {
  struct Entry {
    var path: String
    /// The file's name, with the folders below the argument.
    var name: String
    /// Why there is no image, known already.
    var failure: Failure?

    /// The path as JSON can have it: exactly, unless it is not UTF-8.
    var text: String { String(validating: FileName.bytes(path), as: UTF8.self) ?? printable(path) }
  }

  private(set) var entries: [Entry] = []

  init(_ arguments: [String]) {
    for argument in arguments { add(argument) }
  }

  private mutating func add(_ argument: String) {
    switch PathKind(of: argument) {
    case nil: fail(argument, .noInput, "there is no such image")
    case .folder:
      // A name typed with a slash at its end must not show in every message.
      let folder = argument.utf8.count > 1 && argument.hasSuffix("/") ? String(argument.dropLast()) : argument
      do {
        let paths = try ImageFiles.paths(in: folder, warn: Console.warning)
        if paths.isEmpty { fail(argument, .noInput, "the folder holds no images") }
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

  /// Answers each image. What cannot be read, or gives no numbers, is named and left out, so that the others are answered.
  ///
  /// - Parameters:
  ///   - title: of the progress line.
  ///   - json: prints one document at the end, instead of showing each answer at once.
  ///   - answer: runs an image.
  ///   - failed: what the document has of an image that has no result.
  /// - Throws: the exit code, where images were left out; what `answer` throws, where it concerns all images.
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
      // What was found so far is not lost with the disk or the compiler.
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
