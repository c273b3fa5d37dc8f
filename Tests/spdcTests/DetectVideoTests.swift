import Foundation
import SPDDriver
import SPDVision
import Testing

/// Videos, with scripts in place of ffmpeg that read and write frames as it does.
@Suite struct DetectVideoTests {
  private let scratch: Scratch
  private let frames: [Image]

  init() throws {
    scratch = try Scratch()
    frames = try ["000.jpg", "006.jpg", "000.jpg"].map {
      resizeBilinear(try Image(contentsOf: Place.shapes + "/" + $0), width: 256, height: 256)
    }
    try FileManager.default.createDirectory(atPath: scratch("bin"), withIntermediateDirectories: true)
    _ = try scratch.write("a video", "clip.mp4")
    _ = try scratch.write(frames.flatMap(\.pixels), "frames.rgb")
    try probe(#"{"streams": [{"width": 256, "height": 256, "avg_frame_rate": "10/1"}]}"#)
    // The decoder writes to pipe:1; the encoder keeps its arguments beside its output, which is the last one.
    try program(
      "ffmpeg",
      """
      for last; do :; done
      case "$last" in
        pipe:1) cat '\(scratch("frames.rgb"))' ;;
        *) echo "$@" > '\(scratch("arguments"))'; cat > "${last#file:}" ;;
      esac
      """)
  }

  private func program(_ name: String, _ text: String) throws { _ = try scratch.script(text, "bin/\(name)") }
  private func probe(_ answer: String) throws { try program("ffprobe", "echo '\(answer)'") }

  private func detect(_ arguments: String...) async throws -> Outcome {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return try await spdc(
      arguments: DetectTests.network + arguments, environment: ["PATH": scratch("bin") + ":" + path], in: scratch.path)
  }

  @Test func framesAreNumberedAndWritten() async throws {
    let run = try await detect(
      "--json", "--conf", "0.5", "-o", "found", "--save-txt", "clip.mp4", Place.shapes + "/002.png")
    let answers: [DetectTests.Answer] = try run.succeeded().json()
    #expect(answers.map(\.frame) == [1, 2, 3, nil])
    #expect(answers.map(\.image) == ["clip.mp4", "clip.mp4", "clip.mp4", Place.shapes + "/002.png"])
    #expect(answers[0].detections == answers[2].detections && answers[0].detections != answers[1].detections)
    #expect(answers.allSatisfy { !($0.detections ?? []).isEmpty })
    let written = try bytes(scratch("found/clip.mp4"))
    #expect(written.count == 3 * 256 * 256 * 3)
    // Annotated: like the frame, but not the same.
    let different = zip(written, frames[0].pixels).filter { $0 != $1 }.count
    #expect(different > 0 && different < frames[0].pixels.count / 2)
    #expect(try String(contentsOfFile: scratch("arguments"), encoding: .utf8).contains("-s 256x256 -r 10/1"))
    #expect(
      scratch.names.filter { $0.hasPrefix("found/") } == [
        "found/002.png", "found/clip.mp4", "found/labels", "found/labels/002.txt", "found/labels/clip_1.txt",
        "found/labels/clip_2.txt", "found/labels/clip_3.txt",
      ])
    let text = try await detect("--max-det", "1", "clip.mp4").succeeded().output
    #expect(text.contains("clip.mp4 frame 3  1 found\n"))
  }

  @Test func turnedVideosHaveTheirSidesSwapped() async throws {
    try probe(
      #"{"streams": [{"width": 512, "height": 128, "r_frame_rate": "24/1", "side_data_list": [{"rotation": -90}]}]}"#)
    _ = try await detect("-o", "found", "clip.mp4").succeeded()
    #expect(try String(contentsOfFile: scratch("arguments"), encoding: .utf8).contains("-s 128x512 -r 24/1"))
  }

  @Test func damagedVideos() async throws {
    _ = try scratch.write(Array(frames.flatMap(\.pixels).dropLast(100)), "frames.rgb")
    let run = try await detect("-o", "found", "clip.mp4", Place.shapes + "/002.png")
    #expect(run.code == Exit.data.rawValue)
    #expect(run.errors.contains("clip.mp4: the video ends within a frame"))
    // The whole frames count, and other inputs go on.
    #expect(run.output.contains("clip.mp4 frame 2  ") && !run.output.contains("frame 3"))
    #expect(run.output.contains("002.png  "))
    #expect(try bytes(scratch("found/clip.mp4")).count == 2 * 256 * 256 * 3)

    try program("ffprobe", "echo 'moov atom not found' >&2; exit 1")
    (try await detect("clip.mp4"))
      .failed(.data, "clip.mp4: the video is damaged or of an unknown kind (moov atom not found); get an intact copy")
    try probe(#"{"streams": []}"#)
    (try await detect("clip.mp4")).failed(.data, "clip.mp4: the file has no video stream")
    try probe(#"{"streams": [{"width": 1000000, "height": 1000000}]}"#)
    (try await detect("clip.mp4")).failed(.data, "declares 1000000×1000000 pixels")
  }

  @Test func anEncoderThatFails() async throws {
    let decoder = #"for last; do :; done; case "$last" in pipe:1) cat '\#(scratch("frames.rgb"))' ;;"#
    try program("ffmpeg", decoder + " *) echo 'no encoder' >&2; exit 1 ;; esac")
    let run = try await detect("-o", "found", "clip.mp4")
    #expect(run.code == Exit.cannotWrite.rawValue)
    #expect(run.errors.contains("found/clip.mp4: ffmpeg cannot write the video: no encoder"))
    #expect(scratch.names.filter { $0.hasPrefix("found/") }.isEmpty)
  }

  @Test func withoutFFmpegTheErrorSaysHowToInstallIt() async throws {
    // All other programs are there: the C compiler may need some of them.
    let files = FileManager.default
    try files.createDirectory(atPath: scratch("others"), withIntermediateDirectories: true)
    for folder in (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":") {
      for name in (try? files.contentsOfDirectory(atPath: String(folder))) ?? [] where !name.hasPrefix("ff") {
        try? files.createSymbolicLink(atPath: scratch("others/\(name)"), withDestinationPath: "\(folder)/\(name)")
      }
    }
    let run = try await spdc(
      arguments: DetectTests.network + ["clip.mp4"],
      environment: ["PATH": scratch("others"), "SPDC_CC": Toolchain.locate("clang")], in: scratch.path)
    run.failed(.unavailable, "clip.mp4: videos need ffmpeg and ffprobe", "apt install ffmpeg")
  }
}
