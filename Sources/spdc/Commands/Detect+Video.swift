import Foundation
import SPDDriver
import SPDFormats
import SPDVision

/// The programs that read and write videos.
struct FFmpeg: Sendable {
  private let ffmpeg, ffprobe: String

  /// - Throws: `Failure` where they are not installed.
  init() throws {
    guard let ffmpeg = Toolchain.locate("ffmpeg"), let ffprobe = Toolchain.locate("ffprobe") else {
      throw Failure(
        .unavailable,
        "videos need ffmpeg and ffprobe, which are not on PATH; install them (Debian: apt install ffmpeg, macOS: brew "
          + "install ffmpeg), or give images")
    }
    (self.ffmpeg, self.ffprobe) = (ffmpeg, ffprobe)
  }

  /// What a video says about its frames.
  struct Format: Sendable, Equatable {
    /// In pixels, turned as the video is shown.
    var width, height: Int
    /// Frames per second as a fraction, such as `30000/1001`.
    var rate: String
  }

  /// Reads the size and the frame rate of a video.
  func format(of path: String) throws -> Format {
    let entries = "stream=width,height,avg_frame_rate,r_frame_rate:stream_tags=rotate:stream_side_data=rotation"
    let probe = try ChildProcess(
      ffprobe, ["-v", "error", "-select_streams", "v:0", "-show_entries", entries, "-of", "json", "file:" + path])
    let text = try probe.output.readToEnd() ?? Data()
    if let problem = probe.end() {
      throw Failure(.data, "\(path): the video is damaged or of an unknown kind (\(problem)); get an intact copy")
    }
    struct Answer: Decodable {
      struct SideData: Decodable { var rotation: Double? }
      struct Tags: Decodable { var rotate: String? }
      struct Stream: Decodable {
        var width, height: Int?
        var avg_frame_rate, r_frame_rate: String?
        var tags: Tags?
        var side_data_list: [SideData]?
      }
      var streams: [Stream]
    }
    guard let stream = (try? JSONDecoder().decode(Answer.self, from: text))?.streams.first,
      let width = stream.width, let height = stream.height
    else { throw Failure(.data, "\(path): the file has no video stream; give an image or a video") }
    guard (1...32768).contains(width), (1...32768).contains(height) else {
      throw Failure(.data, "\(path): the video declares \(width)×\(height) pixels; at most 32768 a side are read")
    }
    // ffmpeg turns frames as the file asks.
    let rotation =
      stream.side_data_list?.lazy.compactMap(\.rotation).first ?? stream.tags?.rotate.flatMap(Double.init) ?? 0
    let isTurned = Int(abs(rotation).rounded()) % 180 == 90
    let rate = [stream.avg_frame_rate, stream.r_frame_rate].compactMap(\.self).first(where: Self.isRate) ?? "25/1"
    return Format(width: isTurned ? height : width, height: isTurned ? width : height, rate: rate)
  }

  private static func isRate(_ text: String) -> Bool {
    let parts = text.split(separator: "/").map { Int($0) ?? 0 }
    return parts.count == 2 && parts.allSatisfy { $0 > 0 }
  }

  /// Starts to decode a video at its own rate into frames of RGB.
  fileprivate func decoder(_ path: String, _ format: Format) throws -> ChildProcess {
    try ChildProcess(
      ffmpeg,
      [
        "-v", "error", "-nostdin", "-protocol_whitelist", "file,pipe", "-i", "file:" + path, "-map", "0:v:0", "-r",
        format.rate, "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1",
      ])
  }

  /// Starts to encode frames of RGB. Sides are padded to even numbers, which most players need.
  fileprivate func encoder(_ path: String, _ format: Format) throws -> ChildProcess {
    try ChildProcess(
      ffmpeg,
      [
        "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "\(format.width)x\(format.height)", "-r",
        format.rate, "-i", "pipe:0", "-an", "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p", "-f", "mp4",
        "file:" + path,
      ], takesInput: true)
  }
}

/// Reads the frames of a video in order.
final class VideoReader {
  let format: FFmpeg.Format
  private let path: String
  private let process: ChildProcess

  init(_ path: String, _ ffmpeg: FFmpeg) throws {
    self.path = path
    format = try ffmpeg.format(of: path)
    process = try ffmpeg.decoder(path, format)
  }

  /// Returns the next frame; nil at the end.
  ///
  /// - Throws: `Failure` where the video is damaged.
  func next() throws -> Image? {
    let count = format.width * format.height * 3
    var filled = 0
    let pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      while filled < count {
        let got = read(process.output.fileDescriptor, buffer.baseAddress! + filled, count - filled)
        if got > 0 { filled += got } else if got == 0 || errno != EINTR { break }
      }
      initialized = filled
    }
    if filled == count { return Image(width: format.width, height: format.height, pixels: pixels) }
    if let problem = process.end() {
      throw Failure(.data, "\(path): the video is damaged (\(problem)); get an intact copy")
    }
    guard filled == 0 else { throw Failure(.data, "\(path): the video ends within a frame; convert it with ffmpeg") }
    return nil
  }
}

/// Writes frames to an MP4 file, which appears when it is complete.
final class VideoWriter {
  private let path: String
  private let temporary: String
  private let process: ChildProcess

  /// - Parameter folder: a folder for the unfinished file, on the same disk.
  init(_ path: String, _ format: FFmpeg.Format, _ ffmpeg: FFmpeg, temporaryFolder folder: URL) throws {
    self.path = path
    temporary = folder.appendingPathComponent("\(UUID().uuidString).mp4").path
    try Files.createFolder(URL(fileURLWithPath: path).deletingLastPathComponent())
    // An encoder that ends early must fail the write, not kill this process.
    signal(SIGPIPE, SIG_IGN)
    process = try ffmpeg.encoder(temporary, format)
  }

  func write(_ image: Image) throws {
    do { try process.input?.write(contentsOf: image.pixels) } catch { throw failure(process.end() ?? "\(error)") }
  }

  func finish() throws {
    if let problem = process.end() { throw failure(problem) }
    try Files.writing {
      guard FileName.withPath(temporary, { old in FileName.withPath(path) { rename(old, $0) } }) == 0 else {
        throw failure(String(cString: strerror(errno)))
      }
    }
  }

  private func failure(_ problem: String) -> Failure {
    Failure(.cannotWrite, "\(path): ffmpeg cannot write the video: \(problem)")
  }
}

/// A program that this one reads from or writes to.
private final class ChildProcess {
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
