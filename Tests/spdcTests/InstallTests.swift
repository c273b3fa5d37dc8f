import Foundation
import Testing

/// What `make install` and `make docs` write.
@Suite struct InstallTests {
  private static let bin = URL(fileURLWithPath: Place.spdc).deletingLastPathComponent().path

  private static func run(_ script: String, _ arguments: String...) async throws -> Outcome {
    try await spdc(arguments: arguments, executable: Place.repository + "/scripts/" + script)
  }

  /// The tree is relocatable: everything is found relative to the executable.
  @Test func anInstalledTreeStandsAlone() async throws {
    let scratch = try Scratch()
    let installed = try await Self.run("install", Self.bin, scratch("first"))
    #expect(installed.code == 0, "\(installed.errors)")
    try FileManager.default.moveItem(atPath: scratch("first"), toPath: scratch("second place"))
    let compiled = try await spdc(
      "compile", Place.tiny, "--emit", "c", "-o", scratch("tiny"), executable: scratch("second place/bin/spdc"))
    #expect(compiled.code == 0, "\(compiled.errors)")
    #expect(exists(scratch("tiny/tiny_spd.c")))

    // Install again, then uninstall: only folders remain.
    #expect(try await Self.run("install", Self.bin, scratch("second place")).code == 0)
    #expect(try await Self.run("install", "--remove", scratch("second place")).code == 0)
    let left = scratch.names.filter { $0.hasPrefix("second place/") }.filter { name in
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: scratch(name), isDirectory: &isFolder) && !isFolder.boolValue
    }
    #expect(left == [])
  }

  @Test func completionsAreScripts() async throws {
    let scratch = try Scratch()
    #expect(try await Self.run("install", Self.bin, scratch.path).code == 0)
    let bash = scratch("share/bash-completion/completions/spdc")
    #expect(try await spdc("-n", bash, executable: "/bin/bash").code == 0)
    for name in ["bash-completion/completions/spdc", "zsh/site-functions/_spdc", "fish/vendor_completions.d/spdc.fish"]
    {
      let text = try String(contentsOfFile: scratch("share/" + name), encoding: .utf8)
      for word in ["compile", "update-in-backward", "sweep"] { #expect(text.contains(word), "\(name): \(word)") }
    }
  }

  /// Each subcommand has its section, and every line is text or a macro that mdoc(7) has.
  @Test func theManualIsComplete() async throws {
    let manual = try await Self.run("manual", Place.spdc)
    #expect(manual.code == 0, "\(manual.errors)")
    let lines = manual.output.split(separator: "\n").map(String.init)
    let help = try await spdc("--help").output
    let subcommands = help.split(separator: "SUBCOMMANDS:")[1].matches(of: #/\n {2}([a-z]+) /#).map { String($0.1) }
    #expect(subcommands.count >= 13)
    for name in subcommands { #expect(lines.contains(".Ss spdc \(name)"), "\(name)") }
    let macros: Set = [
      "Ar", "Bl", "Dd", "Dl", "Dt", "El", "It", "Nd", "Nm", "Op", "Os", "Pp", "Sh", "Ss", "Xr", "Fl", "\\\"",
    ]
    for line in lines where line.hasPrefix(".") {
      #expect(macros.contains(String(line.dropFirst().prefix { $0 != " " })), "\(line)")
    }
    #expect(!lines.contains { $0.hasPrefix("'") })
  }

  /// The DocC catalogs, warnings as errors.
  @Test func theCatalogsConvert() async throws {
    let scratch = try Scratch()
    let outcome = try await Self.run("document", Self.bin, scratch.path)
    if outcome.code == 69 { try Test.cancel("\(outcome.errors)") }
    #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
    for page in [
      "SPD.doccarchive/data/tutorials/spd/firstnetwork.json",
      "SPDRuntime.doccarchive/data/tutorials/spdruntime/firsttraining.json",
    ] {
      #expect(exists(scratch(page)), "\(page)")
    }
  }

  /// The network of the first tutorial, at each of its steps, is one.
  @Test(arguments: 1...3) func theTutorialsNetworkCompiles(_ step: Int) async throws {
    let file = Place.repository + "/Sources/SPD/SPD.docc/Resources/small-spd-\(step).swift"
    let scratch = try Scratch()
    let outcome = try await spdc("compile", file, "--emit", "graph", "-o", scratch("graph.json"))
    #expect(outcome.code == 0, "\(outcome.errors)")
  }
}
