// The fields of the form that starts a job. Each says its rules before it is filled, and what is
// wrong with it afterwards, both tied to the field for whoever hears the page.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { ShownInput } from "./definition.ts";
import { newKey } from "./new-key.ts";
import { rulesOf, textOfValue } from "./submit-model.ts";

interface FieldProps {
  readonly id: string;
  readonly label: string;
  readonly hint: ComponentChildren;
  readonly issues: readonly string[];
  /** Draws the control with what ties it to its texts. */
  readonly control: (ties: Ties) => ComponentChildren;
}

interface Ties {
  readonly id: string;
  readonly name: string;
  readonly "aria-describedby": string;
  readonly "aria-invalid": boolean;
}

function Field({ id, label, hint, issues, control }: FieldProps) {
  const isWrong = issues.length > 0;
  return (
    <div class={isWrong ? "field wrong" : "field"} data-field={id}>
      <label for={id}>{label}</label>
      <p class="hint" id={`${id}-hint`}>
        {hint}
      </p>
      {control({
        id,
        name: id,
        "aria-describedby": isWrong ? `${id}-issues ${id}-hint` : `${id}-hint`,
        "aria-invalid": isWrong,
      })}
      {isWrong ? (
        <ul class="issues" id={`${id}-issues`}>
          {issues.map((text, index) => (
            <li key={index}>{text}</li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}

interface InputFieldProps {
  readonly input: ShownInput;
  readonly issues: readonly string[];
}

export function InputField({ input, issues }: InputFieldProps) {
  const { name, description } = input;
  return (
    <Field
      id={`input.${name}`}
      label={name}
      issues={issues}
      hint={
        <>
          {description === undefined ? null : <span class="said">{description} </span>}
          <span class="rules">{rulesOf(input)}</span>
        </>
      }
      control={(ties) => <Control input={input} ties={ties} />}
    />
  );
}

interface ControlProps {
  readonly input: ShownInput;
  readonly ties: Ties;
}

const BOOLEANS = [
  ["true", "true"],
  ["false", "false"],
] as const;

function Control({ input, ties }: ControlProps) {
  const { type, choices, required, fallback } = input;
  if (choices !== undefined) {
    const options = choices.map((choice, index) => [String(index), textOfValue(choice)] as const);
    return <Choice ties={ties} options={options} input={input} />;
  }
  switch (type) {
    case "boolean":
      return <Choice ties={ties} options={BOOLEANS} input={input} />;
    case "array":
    case "object":
      return (
        <textarea
          {...ties}
          rows={4}
          spellcheck={false}
          class="code"
          aria-required={required}
          placeholder={fallback === undefined ? "JSON" : JSON.stringify(fallback)}
        />
      );
    case "string":
    case "integer":
    case "number":
      return (
        <input
          {...ties}
          type="text"
          autocomplete="off"
          aria-required={required}
          inputMode={type === "string" ? "text" : "decimal"}
          placeholder={fallback === undefined ? "" : textOfValue(fallback)}
        />
      );
  }
}

interface ChoiceProps extends ControlProps {
  readonly options: readonly (readonly [value: string, text: string])[];
}

function Choice({ ties, options, input: { required, fallback } }: ChoiceProps) {
  const unset = fallback === undefined ? "not given" : `default: ${textOfValue(fallback)}`;
  return (
    <select {...ties} aria-required={required}>
      <option value="">{unset}</option>
      {options.map(([value, text]) => (
        <option key={value} value={value}>
          {text}
        </option>
      ))}
    </select>
  );
}

interface LabelFieldsProps {
  readonly issues: ReadonlyMap<string, readonly string[]>;
}

/** What is said about the job itself, beside its inputs. */
const LABELS = [
  { name: "tags", label: "Tags", hint: "At most 20, with commas between." },
  { name: "correlation_id", label: "Correlation id", hint: "Yours, to find the job by." },
  {
    name: "submitted_by",
    label: "Submitted by",
    hint: "Who you say you are; shown, never trusted.",
  },
] as const;

export function LabelFields({ issues }: LabelFieldsProps) {
  const [key, setKey] = useState(newKey);
  return (
    <fieldset>
      <legend>About the job</legend>
      {LABELS.map(({ name, label, hint }) => (
        <Field
          key={name}
          id={name}
          label={label}
          hint={hint}
          issues={issues.get(name) ?? []}
          control={(ties) => <input {...ties} autocomplete="off" />}
        />
      ))}
      <Field
        id="idempotency_key"
        label="Idempotency key"
        hint="Pressing Submit twice with one key starts one job."
        issues={issues.get("idempotency_key") ?? []}
        control={(ties) => (
          <span class="with-button">
            <input
              {...ties}
              autocomplete="off"
              value={key}
              onInput={(event) => setKey(event.currentTarget.value)}
            />
            <button type="button" class="small" onClick={() => setKey(newKey())}>
              New key
            </button>
          </span>
        )}
      />
    </fieldset>
  );
}
