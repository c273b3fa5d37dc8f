import ArgumentParser
import Foundation
import SPDCompiler
import SPDDriver

struct Doctor: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check compilers, OpenMP and the processor, and report what is missing.")

  @Flag(help: "Print the findings as JSON.") var json = false

  func run() async throws {
    try await reporting {
      let budget = Result { try Machine.threadBudget() }
      let reason = (try? budget.get())?.reason ?? "affinity"
      let (toolchain, reports) = try await Toolchain.probe()
      let swiftc = Toolchain.locate("swiftc")
      let library = try? SPDLibrary.find()
      let native = Machine.native
      if json {
        struct Answer: Encodable {
          var ok: Bool, compilers: [Toolchain.Report], chosen: Toolchain?, swiftc: String?, modelLibrary: Bool
          var processor: String, processors: Int, processorsReason: String, target: Target
        }
        try Console.print(
          json: Answer(
            ok: toolchain != nil, compilers: reports, chosen: toolchain, swiftc: swiftc, modelLibrary: library != nil,
            processor: Machine.processorName, processors: Machine.processors, processorsReason: reason,
            target: native))
      } else {
        let threads = Machine.processors
        Console.print(
          "processor    \(Machine.processorName), \(threads) usable: \(threads) thread\(threads == 1 ? "" : "s"), limited by \(reason)"
        )
        if case .failure(let error) = budget { Console.print("threads      \(Failure(error).message)") }
        Console.print(
          "native       \(native.lanes) floats per vector, \(native.registers) registers, L2 \(native.l2Bytes >> 10) KB, "
            + native.flags.joined(separator: " "))
        // Many names are tried: list those that exist. A compiler set by the user is always listed.
        for report in reports where report.version != nil || reports.count == 1 {
          let version = report.version.map { "  (\($0))" } ?? ""
          Console.print("compiler     \(report.compiler)  \(report.message)\(version)")
        }
        if let toolchain {
          Console.print("chosen       \(toolchain.compiler) \(toolchain.openMPFlags.joined(separator: " "))")
        } else {
          Console.print("compiler     none builds and runs OpenMP programs; on Debian: apt install clang libomp-dev")
        }
        Console.print("swiftc       \(swiftc ?? "not found: model files (.swift) need it, see swift.org/install")")
        Console.print(
          "model files  "
            + (library == nil
              ? "the library SPD is missing: swift build -c release" : swiftc == nil ? "need swiftc" : "ready"))
      }
      if toolchain == nil { throw ExitCode(Failure.Code.unavailable.rawValue) }
    }
  }
}
