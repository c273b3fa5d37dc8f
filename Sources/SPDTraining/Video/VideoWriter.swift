import Foundation
import SPDDriver
import SPDFormats
import SPDVision

/// Writes frames to an MP4 file, which appears when it is complete.
public final class VideoWriter {
  private let path: String
  private let temporary: String
  private let process: ChildProcess

  /// Starts to encode a video, and creates the folder of the file.
  ///
  /// - Parameters:
  ///   - format: size and rate of the frames.
  ///   - folder: a folder for the unfinished file, on the same disk.
  /// - Throws: `Failure` with `.cannotWrite`.
  public init(_ path: String, _ format: FFmpeg.Format, _ ffmpeg: FFmpeg, temporaryFolder folder: URL) throws {
    self.path = path
    temporary = folder.appendingPathComponent("\(UUID().uuidString).mp4").path
    try Files.createFolder(URL(fileURLWithPath: path).deletingLastPathComponent())
    // An encoder that ends early must fail the write, not kill this process.
    signal(SIGPIPE, SIG_IGN)
    process = try ffmpeg.encoder(temporary, format)
  }

  /// Appends a frame of the format's size.
  public func write(_ image: Image) throws {
    do { try process.input?.write(contentsOf: image.pixels) } catch { throw failure(process.end() ?? "\(error)") }
  }

  /// Ends the video and moves it to its place.
  public func finish() throws {
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
