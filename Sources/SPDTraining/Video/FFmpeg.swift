import Foundation
import SPDDriver

/// The programs `ffmpeg` and `ffprobe`, which read and write videos.
public struct FFmpeg: Sendable {
  private let ffmpeg, ffprobe: String

  /// Finds the programs on `PATH`.
  ///
  /// - Throws: `Failure` with `.unavailable` where they are not installed.
  public init() throws {
    guard let ffmpeg = Toolchain.locate("ffmpeg"), let ffprobe = Toolchain.locate("ffprobe") else {
      throw Failure(
        .unavailable,
        "videos need ffmpeg and ffprobe, which are not on PATH; install them (Debian: apt install ffmpeg, macOS: brew "
          + "install ffmpeg), or give images")
    }
    (self.ffmpeg, self.ffprobe) = (ffmpeg, ffprobe)
  }

  /// What a video says about its frames.
  public struct Format: Sendable, Equatable {
    /// In pixels, turned as the video is shown.
    public var width, height: Int
    /// Frames per second as a fraction, such as `30000/1001`.
    public var rate: String

    public init(width: Int, height: Int, rate: String) {
      (self.width, self.height, self.rate) = (width, height, rate)
    }
  }

  /// Reads the size and the frame rate of a video.
  ///
  /// - Throws: `Failure` with `.data` for a damaged file and one without a video.
  public func format(of path: String) throws -> Format {
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
  func decoder(_ path: String, _ format: Format) throws -> ChildProcess {
    try ChildProcess(
      ffmpeg,
      [
        "-v", "error", "-nostdin", "-protocol_whitelist", "file,pipe", "-i", "file:" + path, "-map", "0:v:0", "-r",
        format.rate, "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1",
      ])
  }

  /// Starts to encode frames of RGB. Sides are padded to even numbers, which most players need.
  func encoder(_ path: String, _ format: Format) throws -> ChildProcess {
    try ChildProcess(
      ffmpeg,
      [
        "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "\(format.width)x\(format.height)", "-r",
        format.rate, "-i", "pipe:0", "-an", "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p", "-f", "mp4",
        "file:" + path,
      ], takesInput: true)
  }
}
