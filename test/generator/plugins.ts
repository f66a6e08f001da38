import type { ProjectFiles } from '../support/project.js';

/** A plugin with one template, by the paths of its files. */
export const ACME: ProjectFiles = {
  'millrace-plugin.toml': `name = "acme"
version = "1.2.0"
description = "What Acme generates."
language = "typescript"
framework = "millrace"
templates = ["report"]
`,
  'report/template.toml': `name = "report"
description = "A report."

[[parameters]]
name = "name"
description = "What the report is called"
required = true

[[parameters]]
name = "format"
description = "How it is written"
default = "csv"

[[outputs]]
template = "report.txt.liquid"
filename = "{{ name | kebab_case }}.{{ format }}"
subdir = "reports/{{ name | snake_case }}"
`,
  'report/report.txt.liquid': `{{ name | pascal_case }} {{ name | camel_case }} of {{ project.name }}\n`,
};

/** Files of a plugin below a folder. */
export function below(folder: string, files: ProjectFiles): ProjectFiles {
  return Object.fromEntries(
    Object.entries(files).map(([path, text]) => [`${folder}/${path}`, text]),
  );
}
