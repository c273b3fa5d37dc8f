import Foundation
import SPDFormats
import Testing

/// Write errors: existing files are unchanged, and no partial output remains.
@Suite struct OutputTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private static let synthetic = ["--weights", "synthetic"]

  @Test func placesThatCannotBeWritten() async throws {
    let file = try scratch.write("a file", "file")
    for place in [file + "/x", "/proc/nothing/x", "/dev/null/x"] {
      for arguments in [
        ["run", Place.tiny, "--input", "synthetic", "--output", place + ".npy"],
        ["compile", Place.tiny, "--json", "-o", place],
        ["compile", Place.tiny, "--emit", "graph", "-o", place + ".json"],
        ["export", Place.tiny, "-o", place + ".onnx"],
      ] {
        (try await spdc(arguments: arguments + Self.synthetic)).failed(.cannotWrite, place)
      }
      (try await spdc("convert", Place.checkpoint, place + ".npz")).failed(.cannotWrite, place)
    }
    #expect(try bytes(file) == Array("a file".utf8) && scratch.names == ["file"])
  }

  @Test func aFolderInTheWay() async throws {
    try FileManager.default.createDirectory(atPath: scratch("m/tiny_spd.c"), withIntermediateDirectories: true)
    try FileManager.default.createDirectory(atPath: scratch("y.npy"), withIntermediateDirectories: true)
    (try await spdc("compile", Place.tiny, "--emit", "c", "--json", "-o", scratch("m"))).failed(
      .cannotWrite, "m/tiny_spd.c: Is a directory")
    let run = try await spdc(
      arguments: ["run", Place.tiny, "--input", "synthetic", "--output", scratch("y.npy")] + Self.synthetic)
    run.failed(.cannotWrite, "y.npy", "Is a directory")
    #expect(scratch.names == ["m", "m/tiny_spd.c", "y.npy"])
  }

  @Test func aFullDeviceAsOutput() async throws {
    let run = try await spdc(
      arguments: ["run", Place.tiny, "--input", "synthetic", "--output", "/dev/full"] + Self.synthetic)
    run.failed(.cannotWrite, "/dev/full: cannot be written: No space left on device")
    (try await spdc("compile", Place.tiny, "--emit", "graph", shell: "exec > /dev/full")).failed(
      .cannotWrite, "standard output cannot be written: No space left on device")
  }

  /// With a limit on file sizes, every write fails somewhere in the middle.
  @Test func nothingHalfWrittenStays() async throws {
    let tiny = scratch("g.json")
    try await spdc("compile", Place.tiny, "--emit", "graph", "-o", tiny).succeeded()
    try await spdc(arguments: ["compile", tiny, "--packed", "--json", "-o", scratch("m")] + Self.synthetic).succeeded()
    try await spdc("convert", Place.checkpoint, scratch("w.npz")).succeeded()
    let image = Place.shapes + "/002.png"
    let detect = [
      "detect", "yolov5-spd-n", "--size", "256x256", "--weights", Place.checkpoint, "-o", scratch("found"), image,
    ]
    try await spdc(arguments: detect).succeeded()
    let names = scratch.names
    let before = try contents(names)

    for (limit, arguments) in [
      (8, ["compile", tiny, "--packed", "--json", "-o", scratch("m")] + Self.synthetic),
      // The text fits, but parameters or libraries do not.
      (64, ["compile", tiny, "--packed", "--unfused", "--json", "-o", scratch("m")] + Self.synthetic),
      (64, ["convert", Place.checkpoint, scratch("w.npz")]),
      (64, ["convert", Place.checkpoint, scratch("new.safetensors")]),
      (8, detect), (8, ["export", tiny, "-o", scratch("new.onnx")] + Self.synthetic),
      (8, ["compile", tiny, "--json", "-o", scratch("new folder")] + Self.synthetic),
    ] {
      let run = try await spdc(arguments: arguments, shell: "ulimit -f \(limit)")
      #expect(run.code == Exit.cannotWrite.rawValue || run.code == 70, "\(arguments): \(run.errors)")
      #expect(run.errors.contains("File too large"), "\(arguments): \(run.errors)")
      #expect(scratch.names == names)
      #expect(try contents(names) == before)
    }
  }

  @Test func aFullDiskLeavesWhatWasThere() async throws {
    try FileManager.default.createDirectory(atPath: scratch("disk"), withIntermediateDirectories: true)
    let mount = "mount -t tmpfs -o size=96k tmpfs '\(scratch("disk"))'"
    let mounted = try? await spdc(arguments: ["-m", "sh", "-c", mount], executable: "/usr/bin/unshare")
    if mounted?.code != 0 { try Test.cancel("no file system can be mounted here: \(mounted?.errors ?? "no unshare")") }
    let script = try scratch.script(
      """
      \(mount) || exit 9
      cd '\(scratch("disk"))'
      echo before > y.npy
      head -c 80000 /dev/zero > filler
      "$SPDC" run "$MODEL" --weights synthetic --batch 500 --input synthetic --output y.npy
      echo "code $?"
      "$SPDC" compile "$MODEL" -o m --json
      echo "code $?"
      ls -A
      cat y.npy
      """, "full")
    let run = try await spdc(
      arguments: ["-m", script], environment: ["SPDC": Place.spdc, "MODEL": Place.tiny], executable: "/usr/bin/unshare")
    #expect(run.output == "code 73\ncode 73\nfiller\ny.npy\nbefore\n", "\(run.errors)")
    #expect(run.errors.contains("No space left on device"))
  }

  @Test(arguments: ["INT", "TERM", "HUP"]) func stoppedInTheMiddle(_ signal: String) async throws {
    // A compiler that takes its time, so that the signal comes in the middle.
    let slow = try scratch.script(
      "case \"$*\" in *tiny_spd*) touch '\(scratch("started"))'; sleep 20;; esac; exec cc \"$@\"", "slow")
    try await spdc(arguments: ["compile", Place.tiny, "--json", "-o", scratch("m")] + Self.synthetic).succeeded()
    let before = try contents(scratch.names)
    let names = scratch.names
    let stop = """
      ("$0" "$@" & echo $! > '\(scratch("pid"))'; wait $!; echo $? > '\(scratch("code"))') &
      while [ ! -e '\(scratch("started"))' ]; do sleep 0.05; done
      sleep 0.2; kill -\(signal) $(cat '\(scratch("pid"))')
      before=$(date +%s); wait; [ $(($(date +%s) - before)) -lt 10 ]
      """
    for folder in ["m", "new"] {
      try? FileManager.default.removeItem(atPath: scratch("started"))
      // Shells ignore SIGINT in the background; env takes that back.
      try await spdc(
        arguments: [
          "-c", stop, "/usr/bin/env", "--default-signal=INT", Place.spdc, "compile", Place.tiny, "--weights",
          "synthetic",
          "--json", "-o", scratch(folder),
        ], environment: ["SPDC_CC": slow, "SPDC_CACHE": scratch.cache()], executable: "/bin/sh"
      ).succeeded()
      let code = String(decoding: try bytes(scratch("code")), as: UTF8.self)
      #expect(["130\n", "143\n", "129\n"].contains(code))
    }
    #expect(try contents(names) == before)
    #expect(!exists(scratch("new/tiny_spd.c")))
    #expect(scratch.names.allSatisfy { !$0.hasPrefix("m/.") && !$0.hasPrefix("new/.") })
  }

  @Test func anOutputThatIsALinkStaysOne() async throws {
    _ = try scratch.write("old", "real.npy")
    try FileManager.default.createSymbolicLink(atPath: scratch("y.npy"), withDestinationPath: "real.npy")
    try await spdc(
      arguments: ["run", Place.tiny, "--input", "synthetic", "--output", scratch("y.npy")] + Self.synthetic
    ).succeeded()
    #expect(try readNPY(scratch("real.npy")).shape == [1, 10])
    #expect(scratch.names == ["real.npy", "y.npy"])
  }

  private func contents(_ names: [String]) throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for name in names {
      var isFolder: ObjCBool = false
      if FileManager.default.fileExists(atPath: scratch(name), isDirectory: &isFolder), !isFolder.boolValue {
        files[name] = try bytes(scratch(name))
      }
    }
    return files
  }
}
