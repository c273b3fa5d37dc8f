import Foundation
import SPDFormats

/// usage: Fuzz [SECONDS [SEED [READER…]]]
///        Fuzz --replay READER FILE
///
/// Mutates valid inputs of every reader, each in a child process with memory and time limits. An input that crashes or
/// hangs a reader, or makes it exceed its memory, is saved under build/fuzz, and the exit code is 1.
@main
struct Fuzz {
  static func main() async {
    // Swift's backtraces take seconds, and there may be many.
    setenv("SWIFT_BACKTRACE", "enable=no", 1)
    let arguments = Array(CommandLine.arguments.dropFirst())
    do {
      switch arguments.first {
      case "--replay": try replay(arguments)
      case "--child": try child(arguments)
      default: try await parent(arguments)
      }
    } catch {
      say("\(error)")
      exit(70)
    }
  }

  private static func reader(_ name: String) -> Reader {
    if let reader = Reader.all.first(where: { $0.name == name }) { return reader }
    say("unknown reader \(name); available are \(Reader.all.map(\.name).joined(separator: ", "))")
    exit(64)
  }

  private static func replay(_ arguments: [String]) throws {
    guard arguments.count == 3 else { exit(64) }
    let reader = reader(arguments[1])
    let folder = try workFolder("replay")
    Child.limitMemory()
    try reader.prepare(folder)
    let file = "\(folder)/\(reader.file)"
    let bytes = try readWholeFile(arguments[2])
    try writeAtomically(to: file) { try $0.write(bytes) }
    do {
      try reader.read(folder, file)
      say("read")
    } catch { say("refused: \(error)") }
  }

  private static func child(_ arguments: [String]) throws {
    try Child.run(
      reader(arguments[1]), seed: UInt64(arguments[2])!, seconds: Double(arguments[3])!, folder: arguments[4])
  }

  private static func workFolder(_ name: String) throws -> String {
    let folder = "\(Seeds.repository)/build/fuzz/scratch/\(name)"
    try? FileManager.default.removeItem(atPath: folder)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    return folder
  }

  private static func parent(_ arguments: [String]) async throws {
    guard let seconds = Double(arguments.first ?? "60"), let seed = UInt64(arguments.dropFirst().first ?? "1") else {
      say("usage: Fuzz [SECONDS [SEED [READER…]]]")
      exit(64)
    }
    let names = arguments.dropFirst(2)
    let readers = names.isEmpty ? Reader.all : names.map { reader($0) }
    say("reader             runs   refused      read  slowest ms  memory MB   (seed \(seed), \(seconds) s each)")
    // One child per core.
    let isSound = try await withThrowingTaskGroup(of: Bool.self) { group in
      var waiting = readers.map(\.name)[...]
      var isSound = true
      func start() {
        guard let name = waiting.popFirst() else { return }
        group.addTask { try await watch(name, seed: seed, seconds: seconds) }
      }
      for _ in 0..<ProcessInfo.processInfo.activeProcessorCount { start() }
      while let ended = try await group.next() {
        isSound = ended && isSound
        start()
      }
      return isSound
    }
    exit(isSound ? 0 : 1)
  }

  /// Runs the child of one reader, and prints its line; returns false where it failed.
  private static func watch(_ name: String, seed: UInt64, seconds: Double) async throws -> Bool {
    let reader = reader(name)
    let folder = try workFolder(name)
    let arguments = ["--child", name, "\(seed)", "\(seconds)", folder]
    let (status, kilobytes) = await end(of: spawn(arguments))
    let progress = Progress.load("\(folder)/progress")
    func column(_ text: String, _ width: Int) -> String {
      String(repeating: " ", count: max(0, width - text.count)) + text
    }
    let slowest = String(format: "%.1f", Double(progress.worstMicroseconds) / 1000)
    say(
      name + column("\(progress.runs)", 23 - name.count) + column("\(progress.refused)", 10)
        + column("\(progress.read)", 10) + column(slowest, 12) + column("\(kilobytes / 1024)", 11))
    if status == 0 {
      try? FileManager.default.removeItem(atPath: folder)
      return true
    }
    let saved =
      "\(Seeds.repository)/build/fuzz/\(name)-\(seed)-\(progress.runs)-\(URL(fileURLWithPath: reader.file).lastPathComponent)"
    try? FileManager.default.removeItem(atPath: saved)
    try FileManager.default.moveItem(atPath: "\(folder)/\(reader.file)", toPath: saved)
    let signal = status & 0x7f
    let reason = signal == SIGALRM ? "hangs" : signal == 0 ? "ended with \(status >> 8)" : "died of signal \(signal)"
    say("\(name) \(reason) at run \(progress.runs): \(saved)\n  reproduce: Fuzz --replay \(name) \(saved)")
    return false
  }

  private static func spawn(_ arguments: [String]) -> pid_t {
    var words = (["Fuzz"] + arguments).map { strdup($0) } + [nil]
    defer { words.forEach { free($0) } }
    var process: pid_t = 0
    let program = Bundle.main.executablePath ?? CommandLine.arguments[0]
    guard posix_spawn(&process, program, nil, nil, &words, environ) == 0 else {
      say("\(program) cannot be started: \(String(cString: strerror(errno)))")
      exit(70)
    }
    return process
  }

  /// Waits for the child: its wait status, and its peak memory in kilobytes.
  private static func end(of process: pid_t) async -> (status: Int32, kilobytes: Int) {
    await withCheckedContinuation { continuation in
      Thread.detachNewThread {
        var status: Int32 = 0
        var usage = rusage()
        while wait4(process, &status, 0, &usage) < 0, errno == EINTR {}
        continuation.resume(returning: (status, Int(usage.ru_maxrss)))
      }
    }
  }
}

/// Prints a line without buffering, also to a pipe.
private func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
