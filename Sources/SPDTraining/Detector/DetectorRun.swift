import Foundation
import SPDData
import SPDDriver
import SPDVision

/// A detector on any number of images and videos, with the files that are written about them.
///
/// Each thread takes images, reads, runs and saves them with a session of its own, so all of this overlaps, and no thread
/// waits for others at a barrier within the network. With fewer batches than threads, each session has several.
public struct DetectorRun: @unchecked Sendable {
  private let networks: DetectorNetworks
  private let input: DetectorInput
  private let threads: Int
  private let inputs: ImageInputs
  private let options: DetectorOptions
  private let files: DetectorFiles?

  /// What a run reports, in the order of the inputs.
  public enum Event: Sendable {
    /// The detections of an image, or of a frame of a video.
    case found(DetectorAnswer)
    /// An image, a video or a frame without a result; the others are run all the same.
    case failed(DetectorAnswer, Failure)
    /// The number of files that are done.
    case progress(Int)
  }

  /// - Parameters:
  ///   - detector: provides networks and the number of threads.
  ///   - files: what is written about each image.
  public init(
    _ detector: Detector, _ inputs: ImageInputs, _ options: DetectorOptions = DetectorOptions(),
    files: DetectorFiles? = nil
  ) {
    (networks, input, threads) = (detector.networks, detector.input, detector.threads)
    (self.inputs, self.options, self.files) = (inputs, options, files)
  }

  /// What became of an image.
  private enum Outcome {
    case answer(DetectorAnswer, warnings: [String])
    /// A frame, and the image to write if that is asked for.
    case frame(Result<DetectorAnswer, Failure>, ImageInputs.Entry, FFmpeg.Format, Image?)
    case failed(ImageInputs.Entry, Failure)
    case endOfVideo(ImageInputs.Entry)
  }

  /// Runs all inputs.
  ///
  /// - Parameter receive: called with one event at a time, on a thread of the run.
  /// - Throws: an error that concerns all images, such as a full disk.
  public func run(_ receive: @escaping (Event) -> Void) async throws {
    guard let files, files.savesImages, inputs.entries.contains(where: { $0.isVideo && $0.failure == nil }) else {
      return try await run(receive, temporaryFolder: nil)
    }
    try await Files.withTemporaryFolder(beside: URL(fileURLWithPath: files.folder).appendingPathComponent("videos")) {
      try await run(receive, temporaryFolder: $0)
    }
  }

  private func run(_ receive: @escaping (Event) -> Void, temporaryFolder: URL?) async throws {
    // A thread of its own: it waits for images, which tasks must not. The caller waits for it.
    nonisolated(unsafe) let receive = receive
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      Thread.detachNewThread {
        continuation.resume(with: Result { try runAll(receive, temporaryFolder: temporaryFolder) })
      }
    }
  }

  private func runAll(_ receive: (Event) -> Void, temporaryFolder: URL?) throws {
    let source = DetectorSource(inputs, batch: networks.input.batch)
    let workers = workers
    let map = OrderedMap<DetectorSource.Work, [Outcome]>(
      depth: 2 * workers, next: source.next,
      transforms: (0..<workers).map { _ in
        let detector = Detector(networks, input, threads: threads / workers)
        return { try outcomes(of: $0, detector) }
      })
    defer { map.cancel() }
    var video: VideoWriter?
    var done = 0
    while let outcomes = try map.next() {
      for outcome in outcomes {
        switch outcome {
        case .answer(let answer, let warnings):
          warnings.forEach(Messages.warning)
          receive(.found(answer))
          done += 1
        case .frame(let result, let entry, let format, let image):
          switch result {
          case .success(let answer): receive(.found(answer))
          case .failure(let failure):
            receive(.failed(DetectorAnswer(image: entry.text, error: failure.message), failure))
          }
          guard let image, let files, let temporaryFolder else { break }
          if video == nil {
            video = try VideoWriter(files.target(of: entry), format, FFmpeg(), temporaryFolder: temporaryFolder)
          }
          try video?.write(image)
        case .failed(let entry, let failure):
          // What was written of a damaged video is kept.
          try video?.finish()
          video = nil
          receive(.failed(DetectorAnswer(image: entry.text, error: failure.message), failure))
          done += 1
        case .endOfVideo:
          try video?.finish()
          video = nil
          done += 1
        }
        receive(.progress(done))
      }
    }
  }

  /// As many as there are threads, unless there are fewer batches, or their arenas take more than 2 GB.
  private var workers: Int {
    let workers = threads / inputs.threadsPerWorker(threads, batch: networks.input.batch)
    return max(min(workers, (2 << 30) / max(networks.arenaBytes, 1)), 1)
  }

  /// Reads, runs and saves a batch.
  private func outcomes(of work: DetectorSource.Work, _ detector: Detector) throws -> [Outcome] {
    switch work {
    case .images(let entries):
      var images: [Image] = []
      let read: [Result<[String], Failure>] = entries.map { entry in
        if let failure = entry.failure { return .failure(failure) }
        var warnings: [String] = []
        do throws(DataError) {
          images.append(try ImageFiles.read(entry.path) { warnings.append($0) })
          return .success(warnings)
        } catch {
          return .failure(entry.failure(error))
        }
      }
      var results = zip(images, try detector.results(images, options)).makeIterator()
      return try zip(entries, read).map { entry, read in
        switch read {
        case .failure(let failure): return .failed(entry, failure)
        case .success(let warnings):
          let (image, result) = results.next()!
          guard case .success(let found) = result else { return .failed(entry, failure(of: result, entry)) }
          try files?.save(found, in: image, of: entry)
          return .answer(DetectorAnswer(image: entry.text, found, names: networks.classNames), warnings: warnings)
        }
      }
    case .frames(let entry, let format, let first, let frames):
      return try zip(frames, try detector.results(frames, options)).enumerated().map { index, pair in
        let (frame, result) = pair
        guard case .success(let found) = result else {
          var failure = failure(of: result, entry)
          failure.message = "frame \(first + index): \(failure.message)"
          return .frame(.failure(failure), entry, format, files?.savesImages == true ? frame : nil)
        }
        try files?.save(found, in: frame, of: entry, frame: first + index)
        let answer = DetectorAnswer(image: entry.text, frame: first + index, found, names: networks.classNames)
        return .frame(
          .success(answer), entry, format, files?.savesImages == true ? files?.annotated(frame, found) : nil)
      }
    case .end(let entry, let failure):
      return [failure.map { .failed(entry, $0) } ?? .endOfVideo(entry)]
    }
  }

  private func failure(of result: Result<[Detection], OutputNotFinite>, _ entry: ImageInputs.Entry) -> Failure {
    if case .failure(let error) = result { return entry.failure(error) }
    return Failure(.software, "internal error: a result is no failure")
  }
}

extension ImageInputs {
  /// The number of threads of each session: 1, unless there are fewer batches than threads.
  package func threadsPerWorker(_ threads: Int, batch: Int) -> Int {
    let hasVideos = entries.contains { $0.isVideo }
    let batches = hasVideos ? threads : (entries.count + batch - 1) / batch
    return threads / max(min(threads, batches), 1)
  }
}
