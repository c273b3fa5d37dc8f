import Models
import SPD
for m in shippedModels { let g = try m.graph(); try g.verify(); print(m.name, g.parameterCount, g.parameters.count, g.nodes.count); if m.name == "resnet18-spd" { print(g.text) } }
