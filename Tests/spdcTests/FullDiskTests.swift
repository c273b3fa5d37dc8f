import Foundation
import Testing

/// Errors name folders that are full, missing or read-only, and do not blame the model file or the compiler.
@Suite struct FullDiskTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private static let mayMount: Bool = {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
    process.arguments = ["-m", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }()

  private static let model = """
    import SPD
    public let net = Model("full-disk", input: .image(3, 8, 8), classes: 2) { x, n in
      x.through(Conv2D(4, kernel: 1), GlobalAveragePool(), Flatten(), Linear(n))
    }
    """

  private static let run = ["--weights", "synthetic", "--input", "synthetic", "--output", "/dev/null"]

  /// Runs the command where `disk` is a file system of its own, after `prepare`.
  private func onDisk(_ prepare: String, _ arguments: [String], _ environment: [String: String]) async throws -> Outcome
  {
    try FileManager.default.createDirectory(atPath: scratch("disk"), withIntermediateDirectories: true)
    let script = try scratch.script(
      "mount -t tmpfs -o size=128k tmpfs '\(scratch("disk"))' || exit 9\n\(prepare)\nexec \"$@\"", "on disk")
    return try await spdc(
      arguments: ["-m", script, Place.spdc] + arguments, environment: environment.mapValues { $0 },
      executable: "/usr/bin/unshare")
  }

  private var fill: String { "head -c 200000 /dev/zero > '\(scratch("disk"))/filler' 2>/dev/null" }

  @Test(.enabled(if: mayMount, "a file system may be mounted here")) func aFullTemporaryFolder() async throws {
    let model = try scratch.write(Self.model, "m.swift")
    let disk = scratch("disk")
    let variables = ["TMPDIR": disk, "SPDC_CACHE": scratch("cache")]
    let full = "\(disk): cannot be written: No space left on device"
    try await onDisk(fill, ["run", model] + Self.run, variables).failed(
      .cannotWrite, full, "set TMPDIR to use another folder")
    // The model file is compiled, and the C compiler is not known yet.
    try await spdc("explain", model, environment: ["SPDC_CACHE": scratch("cache")]).succeeded()
    try await onDisk(fill, ["explain", model], variables).failed(.cannotWrite, full)
    try await spdc("compile", model, "--emit", "graph", "-o", scratch("g.json")).succeeded()
    try await onDisk(fill, ["run", scratch("g.json")] + Self.run, variables).failed(.cannotWrite, full)
    try await onDisk(fill, ["doctor"], variables).failed(.cannotWrite, full)
  }

  @Test(.enabled(if: mayMount, "a file system may be mounted here")) func aFullCache() async throws {
    let model = try scratch.write(Self.model, "m.swift")
    let variables = ["SPDC_CACHE": scratch("disk")]
    // Enough for the lock and the folder, not for the program.
    try await onDisk("", ["explain", model], variables).failed(
      .cannotWrite, "No space left on device", "set SPDC_CACHE to use another folder")
    try await onDisk(fill, ["run", "yolov5-spd-n", "--size", "32"] + Self.run, variables).failed(
      .cannotWrite, "No space left on device", "SPDC_CACHE")
  }

  @Test(.enabled(if: mayMount, "a file system may be mounted here")) func aReadOnlyCache() async throws {
    let model = try scratch.write(Self.model, "m.swift")
    let cache = scratch("cache")
    try await spdc(arguments: ["run", model] + Self.run, environment: ["SPDC_CACHE": cache]).succeeded()
    let readOnly = "mount --bind '\(cache)' '\(cache)' && mount -o remount,bind,ro '\(cache)' || exit 9"
    // What is there serves; what is not says where else it could be.
    try await onDisk(readOnly, ["run", model] + Self.run, ["SPDC_CACHE": cache]).succeeded()
    try await onDisk(readOnly, ["run", model, "--batch", "2"] + Self.run, ["SPDC_CACHE": cache]).failed(
      .cannotWrite, "Read-only file system", "set SPDC_CACHE to use another folder")
  }

  @Test func aTemporaryFolderThatIsNotThere() async throws {
    let model = try scratch.write(Self.model, "m.swift")
    try await spdc("explain", model, environment: ["TMPDIR": scratch("none")]).failed(
      .cannotWrite, "\(scratch("none")): cannot be written: No such file or directory", "TMPDIR")
  }

  @Test func homeIsTheCallersWord() async throws {
    let variables: [String: String?] = ["HOME": scratch("home"), "SPDC_CACHE": nil, "XDG_CACHE_HOME": nil]
    try await spdc(
      arguments: ["explain", try scratch.write(Self.model, "m.swift")], environment: variables
    ).succeeded()
    #expect(exists(scratch("home/.cache/spdc/models")))
  }

  @Test func aModelFileThatPrintsWithoutEnd() async throws {
    let model = try scratch.write(
      Self.model + "\nfor _ in 0..<1_000_000 { print(String(repeating: \"x\", count: 100)) }\n", "loud.swift")
    try await spdc("explain", model).failed(.data, "loud.swift was stopped: it printed more than 16 MB")
  }
}
