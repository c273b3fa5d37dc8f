import Foundation
import SPDDriver
import SPDFormats

/// A program that this one reads from or writes to.
final class ChildProcess {
  private let process = Process()
  private let outputPipe = Pipe()
  private let inputPipe: Pipe?
  /// What the program complains about; a file, so that it never waits for a reader.
  private let complaints: UnsafeMutablePointer<FILE>
  private var isOver = false

  var output: FileHandle { outputPipe.fileHandleForReading }
  var input: FileHandle? { inputPipe?.fileHandleForWriting }

  init(_ program: String, _ arguments: [String], takesInput: Bool = false) throws {
    guard let file = tmpfile() else {
      throw Failure(.cannotWrite, "no temporary file can be made: \(String(cString: strerror(errno)))")
    }
    complaints = file
    inputPipe = takesInput ? Pipe() : nil
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardInput = inputPipe ?? FileHandle.nullDevice
    process.standardOutput = takesInput ? FileHandle.nullDevice : outputPipe
    process.standardError = FileHandle(fileDescriptor: fileno(file), closeOnDealloc: false)
    do { try process.run() } catch {
      fclose(file)
      isOver = true
      throw Failure(.unavailable, "\(program) cannot be started: \(error.localizedDescription)")
    }
  }

  deinit {
    guard !isOver else { return }
    process.terminate()
    _ = end()
  }

  /// Ends the pipes and waits for the program.
  ///
  /// - Returns: the first line of what it complained about if it failed, safe to print.
  func end() -> String? {
    guard !isOver else { return nil }
    isOver = true
    try? input?.close()
    try? output.close()
    process.waitUntilExit()
    defer { fclose(complaints) }
    guard process.terminationStatus != 0 || process.terminationReason == .uncaughtSignal else { return nil }
    var text = [UInt8](repeating: 0, count: 4096)
    rewind(complaints)
    let count = fread(&text, 1, text.count, complaints)
    let line = text[..<count].split(separator: UInt8(ascii: "\n")).first
    return line.map { printable(String(decoding: $0, as: UTF8.self)) }
      ?? "it ended with status \(process.terminationStatus)"
  }
}
