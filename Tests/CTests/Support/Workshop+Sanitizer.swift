import Foundation
import Testing

@testable import SPDDriver

extension Workshop {
  /// A compiler that builds and runs programs with a sanitizer here.
  func sanitizer(_ flags: [String], _ kinds: [CCompiler.Kind]) async throws -> CCompiler {
    for kind in kinds {
      for compiler in CCompiler.all where compiler.kind == kind {
        let probe = try? await once("sanitizer \(flags) \(compiler.path)") { place in
          let source = place.appendingPathComponent("probe.c")
          try "int main(void) { return 0; }\n".write(to: source, atomically: true, encoding: .utf8)
          let program = place.appendingPathComponent("probe")
          try await self.mustRun(compiler.path, flags + [source.path, "-o", program.path])
          try await self.mustRun(program.path, [])
          return program
        }
        if probe != nil { return compiler }
      }
    }
    try Test.cancel("no \(kinds.map(\.rawValue)) here builds and runs programs with \(flags.joined(separator: " "))")
  }
}
