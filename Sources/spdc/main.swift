import Models
import SPD
import SPDCompiler
import SPDTemplates
import Foundation
let t = Templates(try SPDTemplates.load())
for m in shippedModels { let g = try m.graph(); let r = try Pipeline.run(g); let p = try PlanMemory.plan(r.graph, prefix: m.name.replacingOccurrences(of: "-", with: "_"), target: .x86_64_v4);
  let e = try EmitC.emit(p, templates: t, version: "0.1.0")
  try e.source.write(toFile: "/tmp/t/\(p.prefix).c", atomically: true, encoding: .utf8)
  try e.header.write(toFile: "/tmp/t/\(p.prefix).h", atomically: true, encoding: .utf8)
}
