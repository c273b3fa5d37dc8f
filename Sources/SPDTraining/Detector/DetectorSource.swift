import SPDDriver
import SPDFormats
import SPDVision

/// Groups the inputs into batches of images and of consecutive frames of a video.
final class DetectorSource {
  enum Work {
    case images([ImageInputs.Entry])
    case frames(ImageInputs.Entry, FFmpeg.Format, first: Int, [Image])
    /// A video is over, or cannot be read any further.
    case end(ImageInputs.Entry, Failure?)
  }

  private var entries: ArraySlice<ImageInputs.Entry>
  private let batch: Int
  private var video: (entry: ImageInputs.Entry, reader: VideoReader, read: Int)?
  private var failure: Failure?

  init(_ inputs: ImageInputs, batch: Int) {
    entries = inputs.entries[...]
    self.batch = batch
  }

  func next() throws -> Work? {
    if let video { return frames(of: video.entry, video.reader) }
    guard let first = entries.first else { return nil }
    if first.isVideo, first.failure == nil {
      entries.removeFirst()
      do {
        video = (first, try VideoReader(first.path, try FFmpeg()), 0)
      } catch {
        var failure = Failure(error)
        let path = printable(first.path)
        if !failure.message.hasPrefix(path) { failure.message = "\(path): \(failure.message)" }
        return .end(first, failure)
      }
      return try next()
    }
    let images = entries.prefix(batch).prefix { !$0.isVideo || $0.failure != nil }
    entries = entries.dropFirst(images.count)
    return .images(Array(images))
  }

  private func frames(of entry: ImageInputs.Entry, _ reader: VideoReader) -> Work {
    var frames: [Image] = []
    do {
      // The frames before a damaged one count.
      while failure == nil, frames.count < batch, let frame = try reader.next() { frames.append(frame) }
    } catch {
      failure = Failure(error)
    }
    if frames.isEmpty {
      defer { (video, failure) = (nil, nil) }
      return .end(entry, failure)
    }
    let first = video!.read + 1
    video!.read += frames.count
    return .frames(entry, reader.format, first: first, frames)
  }
}
