import Foundation
import SPDDriver
import SPDVision

/// Reads the frames of a video in order.
public final class VideoReader {
  public let format: FFmpeg.Format
  private let path: String
  private let process: ChildProcess

  /// Starts to decode a video.
  ///
  /// - Throws: `Failure` as ``FFmpeg/format(of:)``.
  public init(_ path: String, _ ffmpeg: FFmpeg) throws {
    self.path = path
    format = try ffmpeg.format(of: path)
    process = try ffmpeg.decoder(path, format)
  }

  /// Returns the next frame; nil at the end.
  ///
  /// - Throws: `Failure` with `.data` where the video is damaged.
  public func next() throws -> Image? {
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
