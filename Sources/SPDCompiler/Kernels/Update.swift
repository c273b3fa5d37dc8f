import SPD

/// Updates parameters whose gradients are ready, and averages what goes into the EMA.
struct UpdateKernel: StandaloneKernel {
  var parameters: [String]
  let template = "update"
  var purpose: String { "update of \(parameters.joined(separator: ", "))" }
  let functionName = "update_parameter"

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let optimizer = "\(c.prefix)_optimizer"
    return EmitC.Invocation(
      holes: ["RULES": optimizer], support: [EmitC.Support(template: "optimizer_rules", holes: ["NAME": optimizer])]
    ) { function in
      parameters.map { name in
        let entry = c.plan.state!.entries.first { $0.name == name }!
        return "\(function)(update, losses, values, trainer->momentum, trainer->second_moments, trainer->average, "
          + "\(entry.offset), \(entry.count), \(entry.group), \(entry.group < 0 ? "NULL" : c.gradient(name)), thread, threads);\n"
      }.joined()
    }
  }
}
