/** The fields of our forms, as the pages write and the routes read them. */
export const FORM_FIELDS = {
  csrfToken: 'csrf_token',
  /** Which of the people known here. */
  candidate: 'candidate',
  /** The code of a sign-in link. */
  code: 'code',
  /** Sign-out also drops the user's stored tokens. */
  forget: 'forget',
} as const;
