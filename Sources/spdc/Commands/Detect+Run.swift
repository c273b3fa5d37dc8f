import Foundation
import SPDData
import SPDDriver
import SPDTraining
import SPDVision

/// The images of one `spdc detect`, from reading to printing.
///
/// Each thread takes images, reads, runs and saves them with a session of its own, so all of this overlaps, and no thread
/// waits for others at a barrier within the network. With fewer batches than threads, each session has several.
struct DetectRun: @unchecked Sendable {
  let inputs: ImageInputs
  let networks: DetectorNetworks
  let input: DetectorInput
  let options: DetectorOptions
  let files: DetectFiles?
  let threads: Int
  let json: Bool
  let csv: String?

  /// What became of an image.
  private enum Outcome {
    case answer(DetectAnswer, warnings: [String])
    /// A frame, and the image to write if that is asked for.
    case frame(Result<DetectAnswer, Failure>, ImageInputs.Entry, FFmpeg.Format, Image?)
    case failed(ImageInputs.Entry, Failure)
    case endOfVideo(ImageInputs.Entry)
  }

  func run(temporaryFolder: URL?) async throws {
    // A thread of its own: it waits for images, which tasks must not.
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      Thread.detachNewThread { continuation.resume(with: Result { try runAll(temporaryFolder: temporaryFolder) }) }
    }
  }

  private func runAll(temporaryFolder: URL?) throws {
    let source = DetectSource(inputs, batch: networks.input.batch)
    let workers = workers
    let map = OrderedMap<DetectSource.Work, [Outcome]>(
      depth: 2 * workers, next: source.next,
      transforms: (0..<workers).map { _ in
        let detector = Detector(networks, input, threads: threads / workers)
        return { try outcomes(of: $0, detector) }
      })
    defer { map.cancel() }
    var report = ImageReport<DetectAnswer>("detect", total: inputs.entries.count, json: json) { $0.show() }
    var table = csv.map { _ in DetectAnswer.csvHeader }
    var video: VideoWriter?
    var done = 0
    do {
      while let outcomes = try map.next() {
        for outcome in outcomes {
          switch outcome {
          case .answer(let answer, let warnings):
            warnings.forEach(Console.warning)
            report.add(answer)
            table? += answer.csv
            done += 1
          case .frame(let result, let entry, let format, let image):
            switch result {
            case .success(let answer):
              report.add(answer)
              table? += answer.csv
            case .failure(let failure): report.add(failure, DetectAnswer(image: entry.text, error: failure.message))
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
            report.add(failure, DetectAnswer(image: entry.text, error: failure.message))
            done += 1
          case .endOfVideo:
            try video?.finish()
            video = nil
            done += 1
          }
          report.update(done)
        }
      }
    } catch {
      try report.stop()
      try write(table)
      throw error
    }
    try write(table)
    try report.finish()
  }

  /// As many as there are threads, unless there are fewer batches, or their arenas take more than 2 GB.
  private var workers: Int {
    let workers = threads / inputs.threadsPerWorker(threads, batch: networks.input.batch)
    return max(min(workers, (2 << 30) / max(networks.arenaBytes, 1)), 1)
  }

  private func write(_ table: String?) throws {
    if let csv, let table { try Files.write(table, to: csv) }
  }

  /// Reads, runs and saves a batch.
  private func outcomes(of work: DetectSource.Work, _ detector: Detector) throws -> [Outcome] {
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
          return .answer(DetectAnswer(image: entry.text, found, names: networks.classNames), warnings: warnings)
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
        let answer = DetectAnswer(image: entry.text, frame: first + index, found, names: networks.classNames)
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
  func threadsPerWorker(_ threads: Int, batch: Int) -> Int {
    let hasVideos = entries.contains { $0.isVideo }
    let batches = hasVideos ? threads : (entries.count + batch - 1) / batch
    return threads / max(min(threads, batches), 1)
  }
}
